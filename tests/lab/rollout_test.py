# SPDX-License-Identifier: GPL-2.0-only
"""A roll-out on a real kernel: inside/rollout_checks.py has the claims, one guest checks all."""
import os
import unittest

from guest import WALL, lab, punctual

HERE = os.path.dirname(os.path.abspath(__file__))
USAGE = 2


class Rollout(unittest.TestCase):
    def test_promises_hold_on_a_real_kernel(self):
        ended = lab("python3", "-B", f"{HERE}/inside/rollout_checks.py",
                    options=(*WALL, "--cpus", "2", "--include", f"{HERE}/inside", "--timeout", "15m"))
        print(ended.err.decode(errors="replace"))
        self.assertEqual(ended.status, 0)


class BadInput(unittest.TestCase):
    def test_mistakes_are_found_on_any_machine(self):
        for arguments, said in (([], "which scheduler?"),
                                (["eevdf"], "'eevdf' is no scheduler to roll out"),
                                (["scx_latency"], "needs a budget"),
                                (["scx_simple", "--steps", "third"], "--steps: 'third' is no step"),
                                (["scx_simple", "--pairs", "0"], "--pairs 0 is out of range"),
                                (["scx_simple", "--pairs", "-1"], "--pairs -1 is out of range"),
                                (["scx_simple", "--soak", "10ms"], "gives runs of 1.25ms"),
                                (["scx_simple", "--keep-if", "p98 <= 1x"], "--keep-if, position 1: 'p98'"),
                                (["scx_simple", "--slice", "nosuch.slice=1ms"], "nosuch.slice"),
                                (["scx_simple", "--background-cgroup", "/"], "goes with --slice"),
                                (["scx_simple", "--cpus", "9999"], "9999")):
            ended = punctual("rollout", *arguments)
            self.assertEqual(ended.status, USAGE, str(ended))
            self.assertIn(said.encode(), ended.err)
            self.assertEqual(ended.err.count(b"\n"), 1, str(ended))


if __name__ == "__main__":
    unittest.main()
