"""As driver/src/lib.rs: `SCRIPT ADDRESS call|list TIMES AT_ONCE [BEFORE]`, with threads."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def memory(line):
    with open("/proc/self/status") as status:
        return next(int(found.split()[1]) for found in status if found.startswith(line))


def main(connect, call, find):
    """`connect(address)` gives a client, `call(client)` makes a call, `find(client)` the items of a list."""
    address, what, *numbers = sys.argv[1:]
    times, at_once, before = [int(number) for number in [*numbers, "0"][:3]]
    client = connect(address)

    def one(_):
        if what == "call":
            call(client)
        elif len(find(client)) != 1000:
            raise SystemExit("not a list of 1,000 items")

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, range(before)))
        rss, wall, cpu = memory("VmRSS:"), time.perf_counter(), time.process_time()
        list(pool.map(one, range(times)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"wall_us": wall * 1e6, "cpu_us": cpu * 1e6, "before_kb": rss, "peak_kb": memory("VmHWM:")}))
