# SPDX-License-Identifier: GPL-2.0-only
"""kill -9 at every stage of bench and rollout, on a kernel with sched_ext and all controllers. Runs inside a lab guest with
two CPUs."""
import os
import unittest

from killing import Before, Killed, cgroups, controllers, punctual, walk

INVALID, INCONCLUSIVE = 4, 11
SHORT = ["--background", "spin", "--settle", "50ms", "--warmup", "100ms", "--pps", "1k"]
CLEANER = ["bench", "--arms", "eevdf", "--background", "spin", "--settle", "0", "--warmup", "0", "--duration", "10ms",
           "--pps", "1k"]


class KilledAtEveryStage(unittest.TestCase):
    def setUp(self):
        # As on a fresh machine: nobody has asked for these two.
        (cgroups() / "cgroup.subtree_control").write_text("-cpu -cpuset", encoding="ascii")
        self.assertFalse({"cpu", "cpuset"} & controllers())

    def test_bench_in_all_its_arms(self):
        found = walk(self, ["bench", "--cpus", "0-1", "--arms", "scx_latency=5ms,cpuset,eevdf-weight,fifo", "--duration",
                            "200ms", *SHORT], CLEANER, 10)
        # Else there was nothing to clean up, and the test shows nothing.
        self.assertLessEqual({"vnf.slice", "telemetry.slice", "controller cpuset", "controller cpu"}, found)

    def test_bench_with_real_packets(self):
        found = walk(self, ["bench", "--cpus", "0", "--packets", "udp", "--arms", "scx_latency=5ms,eevdf", "--duration",
                            "200ms", *SHORT], CLEANER, 8, (0, INVALID))
        self.assertIn("vnf.slice", found)

    def test_rollout_cleaned_up_by_the_next_one(self):
        load = ["--steps", "all", "--state", "/tmp/rollout.json", *SHORT]
        walk(self, ["rollout", "scx_latency=5ms", *load, "--soak", "400ms", "--pairs", "2"],
             ["rollout", "scx_latency=5ms", *load, "--soak", "20ms", "--pairs", "1"], 8, (INCONCLUSIVE,))

    def test_rollout_cleans_up_after_a_bench(self):
        walk(self, ["bench", "--cpus", "0-1", "--arms", "cpuset", "--duration", "300ms", *SHORT],
             ["rollout", "scx_simple", "--steps", "all", "--state", "/tmp/other.json", *SHORT, "--soak", "20ms", "--pairs",
              "1"], 3, (0, INCONCLUSIVE))

    def test_what_others_came_to_rely_on_stays_on(self):
        before = Before()
        killed = Killed(["bench", "--cpus", "0-1", "--arms", "cpuset", "--duration", "60s", *SHORT], 5)
        self.assertTrue(killed.was_running)
        before.wait_until_only_files_are_left(killed)
        self.assertIn("controller cpuset", before.left())
        other = cgroups() / "other.slice"
        os.mkdir(other)
        self.addCleanup(os.rmdir, other)
        (other / "cpuset.cpus").write_text("1", encoding="ascii")
        self.assertEqual(punctual(*CLEANER).returncode, 0)
        self.assertIn("cpuset", controllers())


if __name__ == "__main__":
    unittest.main(verbosity=2)
