# SPDX-License-Identifier: GPL-2.0-only
"""Damaged scheduler objects against the loader, on a real kernel; inside/mutated_checks.py has the claims.

  mutated.py [COUNT [FIRST_SEED]] [--write]    prints how they ended; --write: into docs/reliability.md
"""
import collections
import json
import pathlib
import sys

import guest
import reliability
from guest import WALL, lab

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(guest.PUNCTUAL).resolve().parent
OBJECTS = [BUILD / name for name in ("scx_simple.bpf.o", "tests/objects/foreign_fifo.bpf.o", "scx_latency.bpf.o")]
BEGIN = "<!-- by: python3 tests/lab/mutated.py 10000 --write -->"
HEAD = "| objects | refused | ran | ejected | crashes of the loader |\n|---:|---:|---:|---:|---:|"
TOLD_MAX = 6000   # characters of a failure
GUEST_OBJECTS = 1000   # then a fresh guest, so that what came before can be found


def run_in_guest(seeds):
    """SEEDS as inside/mutated_checks.py takes them."""
    includes = [word for path in (HERE / "inside", *OBJECTS) for word in ("--include", str(path))]
    return lab("python3", "-B", f"{HERE}/inside/mutated_checks.py", seeds, *map(str, OBJECTS),
               options=(*WALL, "--kernel", "6.18", "--cpus", "2", *includes, "--timeout", "120m"))


def main(arguments):
    numbers = [int(word) for word in arguments if word != "--write"]
    count, first = (numbers + [10000, 0][len(numbers):])[:2]
    total = collections.Counter()
    for seed in range(first, first + count, GUEST_OBJECTS):
        ended = run_in_guest(f"{seed}-{min(seed + GUEST_OBJECTS, first + count) - 1}")
        if ended.status != 0:
            print(ended.out.decode(errors="replace"), str(ended)[-TOLD_MAX:], file=sys.stderr)
            return 1
        total.update(json.loads(ended.out.decode().splitlines()[-1]))
        print(dict(total), flush=True)
    row = f"| {total['objects']} | {total['refused']} | {total['ran']} | {total['ejected']} | 0 |"
    if "--write" in arguments:
        reliability.write_table(BEGIN, f"{HEAD}\n{row}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
