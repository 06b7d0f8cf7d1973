# SPDX-License-Identifier: GPL-2.0-only
"""Damaged objects are refused or run, and never harm the loader: a few; `make mutated-long` tries ten thousand."""
import unittest

import mutated

FEW = "0-14"
CRASHED = "711"   # libbpf, when the object was loaded: a member of the table lies outside of it


class Mutated(unittest.TestCase):
    def test_damaged_objects_are_refused_or_run_and_end_on_eevdf(self):
        ended = mutated.run_in_guest(f"{FEW},{CRASHED}")
        print(ended.out.decode(errors="replace"))
        self.assertEqual(ended.status, 0, ended)


if __name__ == "__main__":
    unittest.main()
