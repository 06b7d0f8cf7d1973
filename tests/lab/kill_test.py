# SPDX-License-Identifier: GPL-2.0-only
"""kill -9 at every stage of bench and rollout: inside/kill_checks.py has the claims, one guest checks all."""
import os
import unittest

from guest import WALL, lab

HERE = os.path.dirname(os.path.abspath(__file__))


class Killed(unittest.TestCase):
    def test_nothing_is_left_or_the_next_start_takes_it_away(self):
        ended = lab("python3", "-B", f"{HERE}/inside/kill_checks.py",
                    options=(*WALL, "--cpus", "2", "--module", "veth", "--include", f"{HERE}/inside", "--timeout", "15m"))
        print(ended.out.decode(errors="replace"), ended.err.decode(errors="replace"))
        self.assertEqual(ended.status, 0)


if __name__ == "__main__":
    unittest.main()
