# SPDX-License-Identifier: GPL-2.0-only
"""Run-queue waits against the kernel's own accounts: inside/runq_checks.py, and against a task that
knows them: inside/runq_oracle.py. KERNEL names another kernel of the lab."""
import os
import sys
import unittest

from guest import WALL, lab

HERE = os.path.dirname(os.path.abspath(__file__))
KERNEL = os.environ.get("KERNEL", "6.18")


class Runq(unittest.TestCase):
    def run_inside(self, script, *options):
        ended = lab("python3", "-B", f"{HERE}/inside/{script}",
                    options=(*options, "--include", f"{HERE}/inside", "--timeout", "10m"))
        print(ended.out.decode(errors="replace"), ended.err.decode(errors="replace"), file=sys.stderr)
        self.assertEqual(ended.status, 0)

    def test_waits_are_those_of_the_kernel(self):
        self.run_inside("runq_checks.py", *WALL, "--kernel", KERNEL, "--cpus", "2")

    def test_so_they_are_on_the_oldest_kernel(self):
        self.run_inside("runq_checks.py", *WALL, "--kernel", "6.1", "--cpus", "2")

    def test_quantiles_are_those_of_a_task_that_stamped_its_waits(self):
        self.run_inside("runq_oracle.py", "--kernel", KERNEL)


if __name__ == "__main__":
    unittest.main()
