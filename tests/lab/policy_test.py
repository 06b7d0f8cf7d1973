# SPDX-License-Identifier: GPL-2.0-only
"""The promises of scx_latency to several classes at once: inside/policy_checks.py, in virtual time."""
import os
import unittest

import guest
from guest import VIRTUAL, lab

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.dirname(os.path.abspath(guest.PUNCTUAL))


# Another one is another run: which of the periodic classes meet is a matter of when they begin.
SETTLE = os.environ.get("SETTLE", "1s")


class Policy(unittest.TestCase):
    def test_promises_hold_for_several_classes(self):
        ended = lab("python3", "-B", f"{HERE}/inside/policy_checks.py",
                    options=(*VIRTUAL, "--settle", SETTLE, "--include", f"{HERE}/inside", "--include", f"{BUILD}/packets",
                             "--include", f"{BUILD}/shares", "--env", f"PACKETS={BUILD}/packets",
                             "--env", f"SHARES={BUILD}/shares", "--timeout", "10m"))
        print(ended.out.decode(errors="replace"), ended.err.decode(errors="replace"))
        self.assertEqual(ended.status, 0)


if __name__ == "__main__":
    unittest.main()
