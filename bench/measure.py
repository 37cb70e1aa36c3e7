"""How is a program measured from outside? Building it, giving it a server, and looking at its process.

Used by run.py (the table of all contenders) and counts.py (the guard of counts).
"""

import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
# Whole: cargo and the programs run in different folders.
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").absolute()


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def build(package):
    """Builds the programs of a package alone, so that no other one's features are on in its tree.

    Gives None, or the last words of the compiler where it does not build.
    """
    say("building", package)
    command = ["cargo", "build", "--quiet", "--release", "--locked", "--package", package]
    done = subprocess.run(command, cwd=HERE, env={**os.environ, "CARGO_TARGET_DIR": str(TARGET)},
                          capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error")]
    return None if done.returncode == 0 else (errors or ["it does not build"])[0]


def program(name):
    return str(TARGET / "release" / name)


def quiet():
    """The environment of a measured program: no proxy, no credentials, no settings of the caller's."""
    return {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1"}


@contextlib.contextmanager
def server(shape, *options):
    """The address of a server with answers of this shape, and the bytes of its answer."""
    running = subprocess.Popen([program("answers"), shape, *options], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    try:
        address, size = running.stdout.readline().split()
        yield address, int(size)
    finally:
        running.stdin.close()
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def run(command, address, what, times, at_once=1, before=0):
    """What a program says of its own calls."""
    words = [*command, address, what, str(times), str(at_once), str(before)]
    done = subprocess.run(words, env=quiet(), capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1:] or done.returncode)
    return json.loads(done.stdout)


def start(command, address):
    """Milliseconds from the start of a process to the end of its first call, and of its CPU."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*command, address, "call", "1", "1"], env=quiet(), check=True, capture_output=True, timeout=120)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall * 1e3, cpu * 1e3


def valgrind():
    return shutil.which("valgrind") is not None


def watched(tool, pattern, command):
    with tempfile.TemporaryDirectory() as scratch:
        words = ["valgrind", f"--tool={tool}", f"--{tool}-out-file={scratch}/out", *command]
        done = subprocess.run(words, env=quiet(), capture_output=True, text=True, timeout=300)
    found = re.search(pattern, done.stderr)
    if done.returncode != 0 or not found:
        raise RuntimeError("valgrind: " + (done.stderr.strip().splitlines() or ["no words"])[-1])
    return [int(number.replace(",", "")) for number in found.groups()]


def per_call(tool, pattern, command, address, what, few, many):
    """The difference of two lengths of run: what starts and ends a process is not counted."""
    first, second = (watched(tool, pattern, [*command, address, what, str(times), "1"]) for times in (few, many))
    return [(b - a) / (many - few) for a, b in zip(first, second)]


def instructions(command, address, what="call", few=50, many=250):
    [count] = per_call("callgrind", r"Collected : (\d+)", command, address, what, few, many)
    return count


def allocations(command, address, what="call", few=50, many=250):
    """Blocks and bytes for each call."""
    size, blocks = per_call("dhat", r"Total: +([\d,]+) bytes in ([\d,]+) blocks", command, address, what, few, many)
    return blocks, size


def stripped(name):
    """Megabytes of a program without symbols."""
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["strip", "--strip-all", "-o", out.name, program(name)], check=True)
        return os.path.getsize(out.name) / 1e6
