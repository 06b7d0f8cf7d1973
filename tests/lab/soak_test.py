# SPDX-License-Identifier: GPL-2.0-only
"""The short form of the soak: all that runs for long runs at once, and nothing ends. `make soak` takes an hour."""
import unittest

import soak

SECONDS = 20
GROWTH_PERCENT_MAX = 15   # in so short a time the heap is still warming up; a leak of a sample would be more


class Soak(unittest.TestCase):
    def test_guard_and_collectors_outlast_a_changing_load(self):
        ended = soak.soak(SECONDS)
        print(ended.out.decode(errors="replace"))
        self.assertEqual(ended.status, 0, ended)
        done = soak.done_in(ended)
        for name in soak.PROCESSES:
            self.assertLess(done[f"{name}_growth_percent"], GROWTH_PERCENT_MAX, done)


if __name__ == "__main__":
    unittest.main()
