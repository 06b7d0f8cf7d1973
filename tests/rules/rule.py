# SPDX-License-Identifier: GPL-2.0-only
"""One line that carries the program, and how it is broken."""
from typing import NamedTuple


class Rule(NamedTuple):
    rule: str     # what holds, in words
    line: str     # where it is written
    broken: str   # what takes its place
    fails: str    # the test
