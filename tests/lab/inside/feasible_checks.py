# SPDX-License-Identifier: GPL-2.0-only
"""What `punctual run` and `punctual status` say of budgets that cannot be kept, in virtual time on one CPU. Runs inside
a lab guest with the program `packets` in $PACKETS."""
import json
import os
import subprocess
import time
import unittest

from running import Running, make_cgroup

PACKETS = os.environ["PACKETS"]
VNF = "vnf.slice"
NORMAL = "telemetry.slice"
OTHERS = "realtime.slice"


def real_time():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def come_first():
    os.setpriority(os.PRIO_PROCESS, 0, -20)


class Load:
    """Processes in cgroups, killed at the end."""

    def __init__(self):
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for process in self.processes:
            process.kill()
            process.wait()

    def start(self, group, rate, work_ns, prepare=lambda: None):
        def enter():
            with open(f"/sys/fs/cgroup/{group}/cgroup.procs", "w", encoding="ascii") as file:
                file.write("0")
            prepare()
        self.processes.append(subprocess.Popen([PACKETS, str(rate), str(work_ns)], preexec_fn=enter))


def status():
    """As an operator sees it while the load is there: with the little CPU time that the load leaves, so as the first to get it."""
    text = subprocess.run(["punctual", "status"], preexec_fn=come_first, capture_output=True, text=True, check=True).stdout
    ended = subprocess.run(["punctual", "status", "--json"], preexec_fn=come_first, capture_output=True, check=True)
    row, = json.loads(ended.stdout)["classes"]
    return row, [line for line in text.splitlines() if line.startswith(f"{VNF}: ")]


def setUpModule():
    for group in (VNF, NORMAL, OTHERS):
        make_cgroup(group)
    os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(2))   # not what it starts


class Feasible(unittest.TestCase):
    def beside(self, *loads, options=(), seconds=1.5):
        """The class's row of `status`, its line there, and the lines of `run`, beside these loads."""
        with Running("scx_latency", "--slice", f"{VNF}=60us", *options) as run:
            run.wait_enabled()
            with Load() as load:
                for each in loads:
                    load.start(*each)
                time.sleep(seconds)
                row, lines = status()
            self.assertEqual(run.stop(), 0, run.lines)
        said = [line for line in run.lines if f"{VNF}: " in line]
        print(*lines, *said, sep="\n  ", flush=True)
        return row, lines, said

    def assert_said(self, shown, reason, *words):
        row, lines, said = shown
        self.assertGreater(row["infeasible_windows"], 2)
        self.assertEqual(row["infeasible_reason"], reason)
        # Not `infeasible_now`: in a single window a class over its cap may well have waited for nothing.
        self.assertLess(row["infeasible_ns_ago"], 1_000_000_000)
        self.assertEqual(len(lines), 1)
        self.assertIn("its budget cannot be kept: ", said[0])
        self.assertIn(" budget not kept in ", said[-1])
        for word in words:
            self.assertIn(word, lines[0])
            self.assertIn(word, said[0])

    def test_class_that_asks_for_more_than_the_cpu(self):
        shown = self.beside((VNF, 100_000, 12_000), (NORMAL, 0, 10_000))
        self.assert_said(shown, "not_enough_cpu", "asks for more CPU than there is", "% of a CPU used", "--cpus")

    def test_class_whose_cap_is_too_small(self):
        shown = self.beside((VNF, 10_000, 30_000), (NORMAL, 0, 10_000), options=("--cap", f"{VNF}=5%"))
        self.assert_said(shown, "over_cap", "over its cap", "raise the cap")

    def test_class_whose_cpu_is_taken_by_a_real_time_task(self):
        # 5 ms out of ten; in the other five all waits are short.
        shown = self.beside((VNF, 2_000, 20_000), (OTHERS, 100, 5_000_000, real_time), seconds=3)
        self.assert_said(shown, "taken_by_others", "real-time tasks or interrupts take", "of CPU 0")

    def test_feasible_class_is_never_reported(self):
        row, lines, said = self.beside((VNF, 20_000, 2_500), (NORMAL, 0, 10_000), (NORMAL, 0, 10_000), seconds=2)
        self.assertGreater(row["windows"], 15)
        self.assertEqual(row["infeasible_windows"], 0)
        self.assertFalse(row["infeasible_now"])
        self.assertIsNone(row["infeasible_reason"])
        self.assertEqual((lines, said), ([], []))


if __name__ == "__main__":
    unittest.main(verbosity=2)
