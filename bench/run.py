#!/usr/bin/env -S python3 -B
"""Prints one table of all contenders, measured in one run against a server on this machine.

    bench/run.py [--markdown] [--rounds N] [--only NAME,..] [--no-peers] [--compile [--ec2]]

`--compile` measures the compile cost of operations instead, which takes minutes (with `--ec2`: a quarter of an
hour). A contender that does not build or run has a line that says so. docs/performance.md says what the columns are.
"""

import argparse
import datetime
import os
import pathlib
import resource
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import compiling
import measure
from measure import HERE, ROOT, TARGET, say

VENV = TARGET / "bench-venv"


@dataclass
class Contender:
    name: str
    package: str
    # The binary of the package, or the script of python/.
    binary: str
    # What the server answers.
    shape: str
    # What its CPU is compared with.
    base: str = "reqwest"
    has_list: bool = True
    # So many times fewer calls, where one takes so much longer.
    fewer: int = 1
    figures: dict = field(default_factory=dict)
    trouble: str = ""

    @property
    def python(self):
        return self.package == "python"

    @property
    def command(self):
        if self.python:
            return [str(VENV / "bin/python"), "-B", "-E", "-s", str(HERE / "python" / self.binary)]
        return [measure.program(self.binary)]

    def note(self, what, figure):
        self.figures.setdefault(what, []).append(figure)

    def get(self, what):
        return statistics.median(self.figures[what]) if what in self.figures else None


CONTENDERS = [
    Contender("hyper", "cumulo-bench", "bare-hyper", "smc", has_list=False),
    Contender("reqwest", "cumulo-bench", "bare-reqwest", "smc", has_list=False),
    Contender("reqwest, form", "cumulo-bench", "bare-reqwest-form", "smc", "reqwest, form", has_list=False),
    Contender("by hand, V1", "cumulo-bench", "hand-v1", "smc"),
    Contender("by hand, V3", "cumulo-bench", "hand-v3", "smc"),
    Contender("**SMC, V3**", "cumulo-bench", "smc-v3", "smc"),
    Contender("**SMC, V1**", "cumulo-bench", "smc-v1", "smc"),
    Contender("**SMC, V1, form**", "cumulo-bench", "smc-v1-form", "smc", "reqwest, form"),
    Contender("**APIG, token**", "cumulo-bench", "apig-token", "apig"),
    Contender("**APIG, key**", "cumulo-bench", "apig-key", "apig"),
    Contender("**ZStack, key**", "cumulo-bench", "zstack-key", "zstack"),
    Contender("google-cloud-secretmanager-v1", "cumulo-bench-google", "google", "google"),
    Contender("aws-sdk-sts", "cumulo-bench-aws", "aws-sts", "sts", has_list=False),
    Contender("aws-sdk-iam", "cumulo-bench-aws", "aws-iam", "iam"),
    # Builds a client for each call, which reads the trusted roots.
    Contender("aliyun-openapi-core-rust-sdk", "cumulo-bench-aliyun", "aliyun", "smc", fewer=400),
    Contender("alibabacloud_smc20190601 (Python)", "python", "smc.py", "smc", fewer=20),
    Contender("huaweicloudsdkapig (Python)", "python", "apig.py", "apig", fewer=20),
]


def python():
    """Makes the environment of the vendors' SDKs, in the versions of the interop tests."""
    stamp = VENV / "complete"
    if stamp.exists():
        return None
    say("installing the vendors' SDKs for Python")
    wanted = ["alibabacloud-smc20190601", "huaweicloudsdkapig", "-c", str(ROOT / "tests/interop/requirements.txt")]
    for command in ([sys.executable, "-m", "venv", "--clear", str(VENV)],
                    [str(VENV / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", *wanted]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            # The first error: of a network that is not there, the last one says nothing.
            words = done.stderr.strip().splitlines() or ["no environment"]
            return next((line for line in words if "rror" in line), words[-1])
    stamp.touch()
    return None


def attempt(contender, measurement, *arguments):
    """What does not run has its reason, and no further figures."""
    if not contender.trouble:
        try:
            measurement(contender, *arguments)
        except Exception as error:  # whatever it is, it is the line of this contender
            contender.trouble = f"{type(error).__name__}: {error}"
            say(contender.name, contender.trouble)


def count(contender):
    if not contender.python:
        contender.note("size", measure.stripped(contender.binary))
        if measure.valgrind():
            lengths = {"few": 1, "many": 2} if contender.fewer > 1 else {}
            with measure.server(contender.shape) as (address, _):
                contender.note("instructions", measure.instructions(contender.command, address, **lengths))
                blocks, size = measure.allocations(contender.command, address, **lengths)
            contender.note("blocks", blocks)
            contender.note("bytes", size)


def timed(contender):
    """One round: the rounds of all contenders take turns, so that whatever else this machine does hits all."""
    with measure.server(contender.shape) as (address, _):
        for at_once, times in ((1, 2000), (16, 12000), (256, 8000)):
            times //= contender.fewer
            if times < at_once:
                continue
            said = measure.run(contender.command, address, "call", times, at_once, max(times // 10, at_once))
            contender.note(f"rate {at_once}", times / said["wall_us"] * 1e6)
            contender.note(f"cpu {at_once}", said["cpu_us"] / times)
        for _ in range(3 if contender.fewer < 100 else 1):
            wall, cpu = measure.start(contender.command, address)
            contender.note("start", wall)
            contender.note("start cpu", cpu)
    if contender.has_list:
        with measure.server(contender.shape, "list") as (address, size):
            times = max(100 // contender.fewer, 2)
            cpu = measure.run(contender.command, address, "list", times, 1, 1)["cpu_us"] / times
            contender.note("list", cpu)
            contender.note("list rate", size / cpu)


def in_flight(contender, calls):
    if contender.fewer > 1:
        return
    with measure.server(contender.shape, f"hold={calls}") as (address, _):
        said = measure.run(contender.command, address, "call", calls, calls)
        contender.note(f"memory {calls}", (said["peak_kb"] - said["before_kb"]) * 1024 / 1000 / calls)


COLUMNS = [
    # title, figure, decimals
    ("instructions", "instructions", 0),
    ("allocations", "blocks", 1),
    ("bytes allocated", "bytes", 0),
    ("CPU us", "cpu 16", 1),
    ("to reqwest", "ratio", 2),
    ("calls/s, 1", "rate 1", 0),
    ("16", "rate 16", 0),
    ("256", "rate 256", 0),
    ("kB in flight, 1,000", "memory 1000", 1),
    ("10,000", "memory 10000", 1),
    ("list CPU us", "list", 0),
    ("list MB/s", "list rate", 0),
    ("start ms", "start", 1),
    ("start CPU ms", "start cpu", 1),
    ("program MB", "size", 2),
]


def ratios(contenders):
    """Of each round, then their median."""
    by_name = {contender.name: contender.figures.get("cpu 16", []) for contender in contenders}
    for contender in contenders:
        for own, base in zip(by_name[contender.name], by_name.get(contender.base, [])):
            contender.note("ratio", own / base)


def write(titles, rows, markdown):
    if markdown:
        print("|", " | ".join(titles), "|")
        print("|---" * len(titles) + "|")
        for row in rows:
            print("|", " | ".join(row), "|")
        return
    plain = [[cell.replace("**", "") for cell in row] for row in [titles, *rows]]
    # A row that says why there are no figures is not measured for the widths.
    widths = [max(len(row[column]) for row in plain if len(row) > max(column, 2)) for column in range(len(titles))]
    for row in plain:
        print("  ".join(cell.ljust(width) if n == 0 else cell.rjust(width)
                        for n, (cell, width) in enumerate(zip(row, widths))))


def cells(contender):
    if contender.trouble:
        return [contender.name, contender.trouble]
    figures = [(contender.get(figure), decimals) for _, figure, decimals in COLUMNS]
    return [contender.name, *("" if value is None else f"{value:,.{decimals}f}" for value, decimals in figures)]


def machine():
    cpu = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), "unknown")
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()[1]
    return (f"{os.cpu_count()} cores of {cpu}, {os.uname().sysname}, rustc {rustc}, "
            f"{datetime.date.today().isoformat()}, load {os.getloadavg()[0]:.1f}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--markdown", action="store_true", help="the table as in docs/performance.md")
    arguments.add_argument("--rounds", type=int, default=5, help="how often all take turns; 5 unless given")
    arguments.add_argument("--only", default="", help="with commas: " + ", ".join(one.binary for one in CONTENDERS))
    arguments.add_argument("--no-peers", action="store_true", help="ours and what is beneath them alone")
    arguments.add_argument("--compile", action="store_true", help="CPU seconds to compile 100 operations, in place of the table")
    arguments.add_argument("--ec2", action="store_true", help="with --compile: AWS's EC2 too")
    given = arguments.parse_args()
    only = set(filter(None, given.only.split(",")))
    if unknown := only - {contender.binary for contender in CONTENDERS}:
        arguments.error(f"no such contender: {', '.join(sorted(unknown))}; --help lists them")
    if given.rounds < 1 or (given.ec2 and not given.compile):
        arguments.error("--rounds takes 1 or more, and --ec2 goes with --compile")
    if given.compile:
        write(*compiling.table(given.ec2), given.markdown)
        return

    # Ten thousand connections.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    contenders = [contender for contender in CONTENDERS
                  if (not only or contender.binary in only)
                  and (not given.no_peers or contender.package == "cumulo-bench")]
    if missing := measure.build("cumulo-bench-driver"):
        sys.exit(missing)
    for package in dict.fromkeys(contender.package for contender in contenders):
        trouble = python() if package == "python" else measure.build(package)
        for contender in contenders:
            if contender.package == package and trouble:
                contender.trouble = trouble
    try:
        say("counting")
        # Counts do not mind what else this machine does.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda contender: attempt(contender, count), contenders))
        for number in range(given.rounds):
            say("round", number + 1, "of", given.rounds)
            for contender in contenders:
                attempt(contender, timed)
                if number == 0:
                    attempt(contender, in_flight, 1000)
                    attempt(contender, in_flight, 10000)
    except KeyboardInterrupt:
        say("the table is of what there is so far")
    ratios(contenders)
    print(machine())
    print()
    write(["", *(title for title, _, _ in COLUMNS)], [cells(contender) for contender in contenders], given.markdown)


main()
