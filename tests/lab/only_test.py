# SPDX-License-Identifier: GPL-2.0-only
"""Partial mode on a real kernel: inside/only_checks.py has the claims, one guest checks all."""
import os
import unittest

import guest
from guest import WALL, lab, punctual

OBJECTS = os.path.join(os.path.dirname(os.path.abspath(guest.PUNCTUAL)), "tests/objects")
HERE = os.path.dirname(os.path.abspath(__file__))


class PartialMode(unittest.TestCase):
    def test_promises_hold_on_a_real_kernel(self):
        ended = lab("python3", "-B", f"{HERE}/inside/only_checks.py",
                    options=(*WALL, "--cpus", "2", "--include", f"{HERE}/inside", "--include", OBJECTS,
                             "--env", f"OBJECTS={OBJECTS}", "--timeout", "10m"))
        print(ended.err.decode(errors="replace"))
        self.assertEqual(ended.status, 0)

    def test_machine_with_one_cpu_is_told_so(self):
        ended = lab("sh", "-c", "mkdir -p /sys/fs/cgroup/vnf.slice; "
                    "punctual run scx_latency --only --cpus 0 --slice vnf.slice=60us -- true; echo $?", options=WALL)
        self.assertEqual((ended.status, ended.out), (0, b"%d\n" % guest.LACKING), str(ended))
        self.assertIn(b"this machine has one", ended.err)


class BadInput(unittest.TestCase):
    def test_mistakes_are_found_on_any_machine(self):
        for arguments in (["--only"], ["--only", "--cpus", "0"], ["--only", "--slice", "vnf.slice"]):
            ended = punctual("run", "scx_latency", *arguments)
            self.assertEqual(ended.status, 2, str(ended))
            self.assertIn(b"--only needs --cpus", ended.err)


if __name__ == "__main__":
    unittest.main()
