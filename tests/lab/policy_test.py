# SPDX-License-Identifier: GPL-2.0-only
"""The promises of scx_latency to several classes at once: inside/policy_checks.py, in virtual time."""
import os
import unittest

import guest
from guest import VIRTUAL, assert_holds, lab

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.dirname(os.path.abspath(guest.PUNCTUAL))


class Policy(unittest.TestCase):
    def test_promises_hold_for_several_classes(self):
        def ended_after(settle):
            return lab("python3", "-B", f"{HERE}/inside/policy_checks.py",
                       options=(*VIRTUAL, "--settle", settle, "--include", f"{HERE}/inside", "--include", f"{BUILD}/packets",
                                "--include", f"{BUILD}/shares", "--env", f"PACKETS={BUILD}/packets",
                                "--env", f"SHARES={BUILD}/shares", "--timeout", "10m"))
        assert_holds(self, ended_after)


if __name__ == "__main__":
    unittest.main()
