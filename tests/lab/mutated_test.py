# SPDX-License-Identifier: GPL-2.0-only
"""Damaged objects are refused or run, and never harm the loader: a few; `make mutated-long` tries ten thousand."""
import unittest

import mutated

FEW = 15


class Mutated(unittest.TestCase):
    def test_damaged_objects_are_refused_or_run_and_end_on_eevdf(self):
        ended = mutated.run_in_guest(0, FEW)
        print(ended.out.decode(errors="replace"))
        self.assertEqual(ended.status, 0, ended)


if __name__ == "__main__":
    unittest.main()
