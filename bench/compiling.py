"""What does it cost to compile a hundred operations? CPU seconds of a crate alone: what it needs is there."""

import json
import os
import pathlib
import resource
import subprocess

from measure import HERE, ROOT, TARGET, say

# Crate, workspace, what cargo is told to build.
OURS = [(crate, ROOT, ["--package", crate, "--all-features"]) for crate in ("cumulo-zstack", "cumulo-apig")]
PEERS = [("aws-sdk-iam", HERE, ["--package", "aws-sdk-iam"])]
# Features can be asked for of our own packages only: the small library that needs the crate is built with it.
ON_DEMAND = [("aws-sdk-ec2", HERE, ["--package", "cumulo-bench-aws", "--lib", "--features", "ec2"])]
KINDS = [("check", ["check"], []), ("debug", ["build"], []), ("release", ["build", "--release"], ["--release"])]


def cargo(where, *words):
    # As much for debuggers in both workspaces, as `scripts/budget.sh` has it.
    same = {"CARGO_INCREMENTAL": "0", "CARGO_PROFILE_DEV_DEBUG": "line-tables-only"}
    environment = {**os.environ, **same, "CARGO_TARGET_DIR": str(TARGET)}
    done = subprocess.run(["cargo", *words], cwd=where, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return done.stdout


def operations(crate, where):
    """Our models list them; AWS's crates have a file for each."""
    if crate.startswith("cumulo-"):
        model = ROOT / "models" / f"{crate.removeprefix('cumulo-')}.json"
        return len(json.loads(model.read_text())["operations"])
    packages = json.loads(cargo(where, "metadata", "--format-version", "1", "--locked", "--all-features"))["packages"]
    [manifest] = [package["manifest_path"] for package in packages if package["name"] == crate]
    return len(list(pathlib.Path(manifest).parent.glob("src/operation/*.rs")))


def seconds(crate, where, target, command, profile):
    build = [*command, "--quiet", "--locked", *target]
    cargo(where, *build)
    cargo(where, "clean", "--quiet", "--package", crate, *profile)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    cargo(where, *build)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(ec2):
    rows = []
    for crate, where, target in OURS + PEERS + (ON_DEMAND if ec2 else []):
        known = operations(crate, where)
        figures = []
        for kind, command, profile in KINDS:
            say("compiling", crate, kind)
            spent = seconds(crate, where, target, command, profile)
            say("", f"{spent:.1f} CPU s")
            figures += [f"{spent:.1f}", f"{spent / known * 100:.2f}"]
        rows.append([crate, f"{known:,}", *figures])
    titles = ["", "operations", *(title for kind, _, _ in KINDS for title in (f"{kind} CPU s", "per 100"))]
    return titles, rows
