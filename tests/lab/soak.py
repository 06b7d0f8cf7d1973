# SPDX-License-Identifier: GPL-2.0-only
"""The guard, the collector and a recording for an hour beside a load that changes all the time; prints a table.

  soak.py [MINUTES] [--write]    --write: into docs/reliability.md
"""
import json
import os
import pathlib
import sys

import guest
import reliability
from guest import WALL, lab

HERE = pathlib.Path(__file__).resolve().parent
FORKS = os.path.join(os.path.dirname(os.path.abspath(guest.PUNCTUAL)), "forks")
BEGIN = "<!-- by: make soak -->"
GROWTH_PERCENT_MAX = 2
PROCESSES = ("guard", "runq", "record")


def soak(seconds):
    return lab("python3", "-B", f"{HERE}/inside/soak_checks.py", "soak", str(seconds),
               options=(*WALL, "--kernel", "6.18", "--cpus", "2", "--memory", "2G", "--include", f"{HERE}/inside",
                        "--include", FORKS, "--env", f"FORKS={FORKS}", "--timeout", f"{seconds // 60 + 60}m"))


def done_in(ended):
    return json.loads(ended.out.decode().splitlines()[-1])


def table_of(done):
    growth = " | ".join(f"{done[f'{name}_kb']:,} ({done[f'{name}_growth_percent']:+} %)" for name in PROCESSES)
    return "\n".join(["| minutes | forks | cgroups made | KiB at the end, growth: guard | runq | record |", "|---:|---:|---:|---:|---:|---:|",
                      f"| {round(done['seconds'] / 60)} | {done['storm']:,} | {done['cgroups']:,} | {growth} |"])


def main(arguments):
    minutes = int(([word for word in arguments if word != "--write"] or ["60"])[0])
    ended = soak(60 * minutes)
    if ended.status != 0:
        print(ended.out.decode(errors="replace"), ended, file=sys.stderr)
        return 1
    done = done_in(ended)
    print(table_of(done))
    if "--write" in arguments:
        reliability.write_table(BEGIN, table_of(done))
    return 0 if all(done[f"{name}_growth_percent"] <= GROWTH_PERCENT_MAX for name in PROCESSES) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
