# SPDX-License-Identifier: GPL-2.0-only
"""Each fault that `punctual guard` is for, on a real kernel; prints a table.

  reliability.py            the table
  reliability.py --write    puts it into docs/reliability.md
"""
import json
import os
import pathlib
import re
import sys

import guest
from guest import WALL, lab

HERE = pathlib.Path(__file__).resolve().parent
OBJECTS = os.path.join(os.path.dirname(os.path.abspath(guest.PUNCTUAL)), "tests/objects")
UNIT = HERE.parents[1] / "deploy/systemd/punctual.service"
DOCUMENT = HERE.parents[1] / "docs/reliability.md"
BEGIN = "<!-- by: python3 tests/lab/reliability.py --write -->"
HEAD = "| fault | what the guard said | ms to EEVDF, at most | tasks lost |\n|---|---|---:|---:|"


def run_faults():
    """One guest, all faults."""
    return lab("python3", "-B", f"{HERE}/inside/guard_checks.py",
               options=(*WALL, "--kernel", "6.18", "--cpus", "2", "--include", f"{HERE}/inside", "--include", OBJECTS,
                        "--include", str(UNIT), "--env", f"OBJECTS={OBJECTS}", "--env", f"UNIT={UNIT}", "--timeout", "10m"))


def table_of(ended):
    rows = json.loads(ended.out.decode().splitlines()[-1].replace(OBJECTS + "/", ""))
    return "\n".join([HEAD, *(f"| {' | '.join(str(cell).replace('|', ' ') for cell in row)} |" for row in rows)])


def write_table(begin, table):
    """Puts it behind the line `begin` of docs/reliability.md, in the place of the one there."""
    before, rest = DOCUMENT.read_text().split(begin)
    after = re.fullmatch(r"\n\n(?:\|[^\n]*\n)*(.*)", rest, re.DOTALL)[1]
    DOCUMENT.write_text(before + begin + "\n\n" + table + "\n" + after)


def main(arguments):
    ended = run_faults()
    print(ended.err.decode(errors="replace"), file=sys.stderr)
    if ended.status != 0:
        return ended.status
    print(table_of(ended))
    if "--write" in arguments:
        write_table(BEGIN, table_of(ended))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
