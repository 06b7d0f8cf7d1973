# SPDX-License-Identifier: GPL-2.0-only
"""Each fault that `punctual guard` is for, on a real kernel; prints a table.

  reliability.py            the table, ten minutes on an idle machine
  reliability.py --write    puts it into docs/reliability.md
"""
import json
import os
import pathlib
import re
import sys

import guest
from guest import VIRTUAL, WALL, lab

HERE = pathlib.Path(__file__).resolve().parent
OBJECTS = os.path.join(os.path.dirname(os.path.abspath(guest.PUNCTUAL)), "tests/objects")
UNIT = HERE.parents[1] / "deploy/systemd/punctual.service"
DOCUMENT = HERE.parents[1] / "docs/reliability.md"
BEGIN = "<!-- by: python3 tests/lab/reliability.py --write -->"
HEAD = ("| fault | what the guard said | ms to EEVDF, at most | in virtual time | tasks lost |\n"
        "|---|---|---:|---:|---:|")
LIMIT = "1h"   # for a guest that takes minutes, on a machine that has much else to do
# Those after which EEVDF takes over, and that need no seconds of waiting.
QUICK = {"guard_checks.py": ("Faults.test_01", "Faults.test_03", "Faults.test_04", "Faults.test_06", "Faults.test_07", "Faults.test_08"),
         "rare_fault_checks.py": ("RareFaults.test_01", "RareFaults.test_03")}


def run_faults(checks="guard_checks.py", time=WALL, only=(), limit="10m"):
    """One guest, all faults of a script, or those whose names begin with one of `only`."""
    chosen = (argument for name in only for argument in ("-k", name))
    return lab("python3", "-B", f"{HERE}/inside/{checks}", *chosen,
               options=(*time, "--kernel", "6.18", "--cpus", "2", "--include", f"{HERE}/inside", "--include", OBJECTS,
                        "--include", str(UNIT), "--env", f"OBJECTS={OBJECTS}", "--env", f"UNIT={UNIT}", "--timeout", limit))


def rows_of(ended):
    return json.loads(ended.out.decode().splitlines()[-1].replace(OBJECTS + "/", ""))


def table_of(rows, virtual_rows=()):
    """Of rows [fault, what was said, time in ms, tasks lost]."""
    virtual = {fault: took for fault, _, took, _ in virtual_rows}
    lines = [(fault, said, took, virtual.get(fault, "-"), lost) for fault, said, took, lost in rows]
    return "\n".join([HEAD, *(f"| {' | '.join(str(cell).replace('|', ' ') for cell in line)} |" for line in lines)])


def write_table(begin, table, document=DOCUMENT):
    """Puts it behind the line `begin` of the document, in the place of the one there."""
    before, rest = document.read_text().split(begin)
    after = re.fullmatch(r"\n\n(?:\|[^\n]*\n)*(.*)", rest, re.DOTALL)[1]
    document.write_text(before + begin + "\n\n" + table + "\n" + after)


def main(arguments):
    def told(*how):
        ended = run_faults(*how)
        print(ended.err.decode(errors="replace"), file=sys.stderr, flush=True)
        return ended

    wall = [told(checks, WALL, (), LIMIT) for checks in QUICK]
    virtual = [told(checks, VIRTUAL, only, LIMIT) for checks, only in QUICK.items()]
    if any(ended.status != 0 for ended in wall + virtual):
        return 1
    table = table_of(*([row for ended in all_ended for row in rows_of(ended)] for all_ended in (wall, virtual)))
    print(table)
    if "--write" in arguments:
        write_table(BEGIN, table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
