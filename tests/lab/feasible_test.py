# SPDX-License-Identifier: GPL-2.0-only
"""Budgets that cannot be kept are said to be so, with the reason: inside/feasible_checks.py, in virtual time."""
import os
import unittest

import guest
from guest import VIRTUAL, lab

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.dirname(os.path.abspath(guest.PUNCTUAL))


class Feasible(unittest.TestCase):
    def test_infeasible_is_said_and_feasible_is_not(self):
        ended = lab("python3", "-B", f"{HERE}/inside/feasible_checks.py",
                    options=(*VIRTUAL, "--settle", "1s", "--include", f"{HERE}/inside", "--include", f"{BUILD}/packets",
                             "--env", f"PACKETS={BUILD}/packets", "--timeout", "15m"))
        print(ended.out.decode(errors="replace"), ended.err.decode(errors="replace"))
        self.assertEqual(ended.status, 0)


if __name__ == "__main__":
    unittest.main()
