# SPDX-License-Identifier: GPL-2.0-only
"""The corners of the matrix (matrix.py): budgets are kept where that is feasible, and what is infeasible shows."""
import unittest

import matrix
from matrix import Load, infeasible, points_of


class Feasible(unittest.TestCase):
    """Worked out from the load alone."""

    def test_a_ring_that_cannot_hold_what_comes_within_the_budget_is_too_small(self):
        self.assertEqual(infeasible(Load("100k", "constant", 64), "1ms"), "ring")    # 100 packets come
        self.assertEqual(infeasible(Load("100k", "constant", 256), "1ms"), "")
        self.assertEqual(infeasible(Load("60k", "constant", 64), "1ms"), "")         # 61 do

    def test_bursts_need_room_for_the_next_one(self):
        self.assertEqual(infeasible(Load("20k", "bursts:32", 64), "1ms"), "")
        self.assertEqual(infeasible(Load("60k", "bursts:32", 64), "1ms"), "ring")

    def test_work_that_leaves_others_less_than_the_floor_is_too_much(self):
        self.assertEqual(infeasible(Load("400k", "constant", 1024), "60us"), "CPU")
        self.assertEqual(infeasible(Load("100k", "poisson", 1024), "20us"), "")


class Corners(unittest.TestCase):
    def keep(self, load, *budgets):
        points, _ = points_of(load, budgets)
        for point in points:
            with self.subTest(matrix.repeat(point)):
                self.assertEqual(point.infeasible, "")
                self.assertTrue(point.kept(), {key: value for key, value in point.arm.items() if key != "histogram"})

    def lose(self, load, budget, reason):
        (point,), _ = points_of(load, [budget])
        self.assertEqual(point.infeasible, reason)
        self.assertGreater(point.arm["dropped"], 0, matrix.repeat(point))
        if reason == "CPU":   # of the ring the scheduler knows nothing
            self.assertGreater(point.arm["judged_windows"], 0, matrix.repeat(point))
            self.assertEqual(point.arm["infeasible_windows"], point.arm["judged_windows"], matrix.repeat(point))

    def test_few_packets(self):
        self.keep(Load("5k", "constant", 64), "20us", "1ms")

    def test_many_packets(self):
        self.keep(Load("100k", "poisson", 1024), "20us", "200us")

    def test_bursts(self):
        self.keep(Load("100k", "bursts:32", 256), "1ms")

    def test_what_is_infeasible_loses_packets(self):
        self.lose(Load("100k", "bursts:32", 64), "1ms", "ring")
        self.lose(Load("400k", "constant", 256), "60us", "CPU")


if __name__ == "__main__":
    unittest.main()
