# SPDX-License-Identifier: GPL-2.0-only
"""The invariants that only a kernel can break: inside/invariant_checks.py."""
import os
import unittest

import guest
from guest import VIRTUAL, WALL, assert_holds, lab

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.dirname(os.path.abspath(guest.PUNCTUAL))
OBJECTS = f"{BUILD}/tests/objects"
PROGRAMS = ("late", "packets", "shares")


def checks(*invariants, cpus, time=VIRTUAL, options=()):
    """How the guest ended that looked at these."""
    options = [*options, *time, "--cpus", cpus, "--timeout", "25m", "--include", f"{HERE}/inside",
               "--include", OBJECTS, "--env", f"OBJECTS={OBJECTS}"]
    for program in PROGRAMS:
        options += ["--include", f"{BUILD}/{program}", "--env", f"{program.upper()}={BUILD}/{program}"]
    return lab("python3", "-B", f"{HERE}/inside/invariant_checks.py", *invariants, options=options)


class Invariants(unittest.TestCase):
    def check(self, *invariants, **machine):
        ended = checks(*invariants, **machine)
        print(ended.out.decode(errors="replace"), ended.err.decode(errors="replace"))
        self.assertEqual(ended.status, 0)

    def check_starts(self, *invariants, options=(), **machine):
        assert_holds(self, lambda settle: checks(*invariants, options=(*options, "--settle", settle), **machine))

    def test_those_of_one_cpu(self):
        self.check("I3", "I7", "I13.test_killed", "I13.test_stalled", "I13.test_failing", cpus="1")

    def test_cap(self):
        self.check_starts("I4", cpus="1")

    def test_floor(self):
        self.check_starts("I5", cpus="1")

    def test_idle_cpus(self):
        self.check_starts("I1", cpus="2")

    def test_idle_cpus_of_two_caches(self):
        self.check_starts("I1", cpus="2", options=("--caches", "2"))

    def test_hotplug(self):
        self.check("I13.test_hotplugged", cpus="2", time=WALL)


if __name__ == "__main__":
    unittest.main()
