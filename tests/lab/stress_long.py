# SPDX-License-Identifier: GPL-2.0-only
"""scx_latency for a minute of stress on each machine; prints a table.

  stress_long.py                    all machines, one after the other
  stress_long.py KERNEL CPUS TIME   that one, e.g. 6.18 4 wall
  stress_long.py ... --write        puts the rows into the table in docs/testing.md
"""
import json
import pathlib
import re
import sys

import stress

SECONDS = 60
DOCUMENT = pathlib.Path(__file__).parents[2] / "docs/testing.md"
BEGIN = "<!-- by: python3 tests/lab/stress_long.py --write -->"
COLUMNS = {"kernel": "", "CPUs": ":", "time": "", "seconds": ":", "forks/s": ":", "hotplugs": ":", "slowest reload s": ":",
           "cpuset changes": ":", "cgroups": ":", "budgets changed": ":", "result": ""}
MACHINES = [(kernel, cpus, "wall") for kernel in ("6.16", "6.18", "7.3") for cpus in ("2", "4")]
MACHINES += [(kernel, "1", "virtual") for kernel in ("6.16", "6.18", "7.3")]


def row_of(machine, ended):
    lines = ended.out.decode(errors="replace").splitlines()
    if ended.status != 0:
        said = ended.err.decode(errors="replace").strip().splitlines()
        return [*machine, *[""] * 7, f"failed: {said[-1] if said else f'status {ended.status}'}"]
    done = json.loads(lines[-1])
    return [*machine, done["seconds"], done["forks_a_s"], done["hotplugs"], done["reload_s_max"], done["cpusets"],
            done["cgroups"], done["budget_changes"], "no stall"]


def text_of(row):
    return f"| {' | '.join(map(str, row))} |"


def with_rows(document, rows):
    """The document with these rows in its table: in the place of those of the same machine, else at the end."""
    before, rest = document.split(BEGIN)
    table, after = re.fullmatch(r"\n\n((?:\|[^\n]*\n)*)(.*)", rest, re.DOTALL).groups()
    standing = {tuple(line.strip("| ").split(" | ")[:3]): line for line in table.splitlines()[2:]}
    standing.update({row[:3]: text_of(row) for row in rows})
    head = text_of(COLUMNS) + "\n" + text_of(f"---{align}" for align in COLUMNS.values()).replace(" ", "")
    return before + BEGIN + "\n\n" + "\n".join([head, *standing.values()]) + "\n" + after


def main(arguments):
    write = "--write" in arguments
    chosen = [argument for argument in arguments if argument != "--write"]
    rows = []
    for machine in [tuple(chosen)] if chosen else MACHINES:
        ended = stress.stress(*machine, str(SECONDS))
        row = row_of(machine, ended)
        if row[-1] != "no stall":
            print(ended.out.decode(errors="replace"), ended.err.decode(errors="replace"))
        print(text_of(row), flush=True)
        rows.append(tuple(row))
        if write:   # at once: all of them take long
            DOCUMENT.write_text(with_rows(DOCUMENT.read_text(), rows[-1:]))
    return 0 if all(row[-1] == "no stall" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
