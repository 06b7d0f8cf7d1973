# SPDX-License-Identifier: GPL-2.0-only
"""A load that more than one measurement uses."""
import pathlib

# On one CPU, given as the argument: a pair that wakes each other.
PAIR = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
there, back = os.pipe(), os.pipe()
first = os.fork() == 0
while True:
    if first:
        os.read(there[0], 1), os.write(back[1], b"x")
    else:
        os.write(there[1], b"x"), os.read(back[0], 1)
"""


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
