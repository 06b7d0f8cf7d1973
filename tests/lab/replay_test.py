# SPDX-License-Identifier: GPL-2.0-only
"""Kernel and program decide alike: what scx_latency decided in a kernel, the policy in the program decides again from
the same facts. On one CPU in virtual time; on two, where they disturb each other, on the oldest and the newest kernel."""
import os
import unittest

import guest
from guest import VIRTUAL, WALL, lab

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.dirname(os.path.abspath(guest.PUNCTUAL))
RECORDINGS = os.path.abspath(f"{HERE}/../recordings")
INCLUDED = [word for path in (f"{HERE}/inside", f"{BUILD}/packets", f"{BUILD}/shares", f"{RECORDINGS}/shorten.py")
            for word in ("--include", path)]


def record(seconds, decisions, *arguments, options):
    return lab("python3", "-B", f"{HERE}/inside/replay_checks.py", str(seconds), str(decisions), *arguments,
               options=(*options, *INCLUDED, "--env", f"PACKETS={BUILD}/packets", "--env", f"SHARES={BUILD}/shares",
                        "--timeout", "10m"))


class Replay(unittest.TestCase):
    def assert_agrees(self, ended):
        print(ended.err.decode(errors="replace"))
        self.assertEqual(ended.status, 0)

    def test_one_cpu_decides_as_the_program(self):
        self.assert_agrees(record(0.5, 100_000, options=VIRTUAL))

    def test_two_cpus_decide_as_the_program_on_the_oldest_kernel(self):
        self.assert_agrees(record(5, 20_000, options=(*WALL, "--kernel", "6.16", "--cpus", "2")))

    def test_two_cpus_decide_as_the_program_on_the_newest_kernel(self):
        self.assert_agrees(record(5, 100_000, options=(*WALL, "--kernel", "7.3", "--cpus", "2")))


if __name__ == "__main__":
    unittest.main()
