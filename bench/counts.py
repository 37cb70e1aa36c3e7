#!/usr/bin/env -S python3 -B
"""Counts instructions and allocations for each call, and compares them with counts.txt.

    scripts/counts.sh [--record]

Fails where a call takes over 10 % more instructions than are recorded, or more allocations; `--record` writes the
file anew. Counts are those of the whole process but its start, at the optimization that users have.
"""

import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import measure

RECORD = measure.HERE / "counts.txt"
# Binary, what the server answers, what is called.
KINDS = [
    ("bare-reqwest", "smc", "call"),
    ("smc-v3", "smc", "call"),
    ("smc-v1", "smc", "call"),
    ("smc-v1-form", "smc", "call"),
    ("smc-v3-alone", "smc", "call"),
    ("apig-token", "apig", "call"),
    ("apig-key", "apig", "call"),
    ("zstack-key", "zstack", "call"),
    ("smc-v3", "smc", "list"),
    ("zstack-key", "zstack", "list"),
]
MORE = {"instructions": 1.10, "allocations": 1.005}  # in how many pieces a list comes is up to the kernel


def count(kind):
    binary, shape, what = kind
    lengths = {"few": 2, "many": 7} if what == "list" else {}
    with measure.server(shape, *(["list"] if what == "list" else [])) as (address, _):
        command = [measure.program(binary)]
        blocks, size = measure.allocations(command, address, what, **lengths)
        return {"instructions": round(measure.instructions(command, address, what, **lengths)),
                "allocations": round(blocks), "bytes": round(size)}


def recorded():
    lines = [line.split() for line in RECORD.read_text().splitlines() if line and not line.startswith("#")]
    return {(binary, what): {"instructions": int(instructions), "allocations": int(allocations), "bytes": int(size)}
            for binary, what, instructions, allocations, size in lines}


def write(counted):
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()[1]
    with open(RECORD, "w") as out:
        print(f"# Counts of one call or list, by scripts/counts.sh --record; rustc {rustc}, {platform.machine()}.", file=out)
        print("# program, what, instructions, allocations, bytes allocated", file=out)
        for (binary, _, what), figures in zip(KINDS, counted):
            print(f"{binary:<14} {what} {figures['instructions']:>9} {figures['allocations']:>6} {figures['bytes']:>9}", file=out)


def main():
    if sys.argv[1:] in (["--help"], ["-h"]):
        print(__doc__.strip())
        return 0
    if sys.argv[1:] not in ([], ["--record"]):
        sys.exit(f"{__doc__}\ncounts: --record is all that it takes, not: {' '.join(sys.argv[1:])}")
    if not measure.valgrind():
        print("counts: skipped, since valgrind is not installed")
        return 0
    for package in ("cumulo-bench-driver", "cumulo-bench"):
        if trouble := measure.build(package):
            print(trouble)
            return 1
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counted = list(pool.map(count, KINDS))
    if sys.argv[1:] == ["--record"]:
        write(counted)
    known, status = recorded(), 0
    for (binary, _, what), figures in zip(KINDS, counted):
        limits = known.get((binary, what))
        if not limits:
            print(f"{binary} {what} is not in {RECORD.name}: record it")
            status = 1
            continue
        # Bare reqwest shows whether the compiler or a dependency has moved.
        watched = {} if binary.startswith("bare") else MORE
        over = [figure for figure, more in watched.items() if figures[figure] > limits[figure] * more]
        status |= bool(over)
        print(f"{binary:<14} {what}", *(f"{figures[f]:>10,} {f} ({limits[f]:,})" for f in figures),
              *(f"OVER: {figure}" for figure in over))
    return status


sys.exit(main())
