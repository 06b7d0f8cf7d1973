# SPDX-License-Identifier: GPL-2.0-only
"""kill -9 at every stage of a bench with real packets, on the kernel that runs here: no process, network namespace, device or
policy stays, and the next start takes the cgroups away. tests/lab/kill_test.py does the same where there is sched_ext.

  sudo PUNCTUAL=build/punctual python3 tests/bench/kill_test.py
"""
import os
import pathlib
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lab/inside"))
from killing import walk   # pylint: disable=wrong-import-position

INVALID = 4
SHORT = ["--background", "spin", "--settle", "100ms", "--warmup", "100ms", "--pps", "1k"]
CLEANER = ["bench", "--arms", "eevdf", *SHORT, "--duration", "10ms"]


def devices():
    return {line.split(":")[0].strip() for line in pathlib.Path("/proc/net/dev").read_text().splitlines()[2:]}


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@unittest.skipUnless(len(os.sched_getaffinity(0)) > 1, "the generator needs a CPU of its own")
class Killed(unittest.TestCase):
    def test_bench_with_real_packets(self):
        before = devices()
        found = walk(self, ["bench", "--packets", "udp", "--arms", "eevdf,fifo", "--duration", "200ms", *SHORT], CLEANER, 12,
                     (0, INVALID))
        self.assertIn("vnf.slice", found)   # else there was nothing to clean up
        self.assertEqual(devices(), before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
