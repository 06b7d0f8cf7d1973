# SPDX-License-Identifier: GPL-2.0-only
"""The short form of the soak: all that runs for long runs at once, and nothing ends. `make soak` takes an hour."""
import unittest

import soak

SECONDS = 20
GROWN_KB_MAX = 4096   # in so short a time the heap, of two MiB, is still warming up; a small leak is for the hour to find


class Soak(unittest.TestCase):
    def test_guard_and_collectors_outlast_a_changing_load(self):
        ended = soak.soak(SECONDS)
        print(ended.out.decode(errors="replace"))
        self.assertEqual(ended.status, 0, ended)
        done = soak.done_in(ended)
        for name in soak.PROCESSES:
            now_kb, growth = done[f"{name}_kb"], done[f"{name}_growth_percent"] / 100
            self.assertLess(now_kb * growth / (1 + growth), GROWN_KB_MAX, done)


if __name__ == "__main__":
    unittest.main()
