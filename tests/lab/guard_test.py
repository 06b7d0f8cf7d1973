# SPDX-License-Identifier: GPL-2.0-only
"""The guard at every fault on a real kernel: inside/guard_checks.py has the claims, one guest checks all."""
import unittest

import reliability


class Guard(unittest.TestCase):
    def test_every_fault_ends_on_eevdf_with_nothing_lost(self):
        ended = reliability.run_faults()
        print(ended.err.decode(errors="replace"))
        self.assertEqual(ended.status, 0)
        print(reliability.table_of(reliability.rows_of(ended)))


if __name__ == "__main__":
    unittest.main()
