# SPDX-License-Identifier: GPL-2.0-only
"""Times that `punctual runq` says, against those who know them: the kernel's accounts, and a task that stamps its
waits. Runs inside a lab guest with one CPU in virtual time, where nothing but the scheduler can keep the CPU from a task.

A spinner stamps the time as fast as it can: a gap between two stamps is a wait, and the switches there and back."""
import array
import math
import os
import sys
import time
import unittest

from runq_checks import Runq, Tasks

GAP_NS = 1 << 17            # shorter ones are interrupts; an edge of our buckets
SWITCHES_NS = 15_000        # there and back, on this slow CPU, with an interrupt
BUCKET_ERROR = 1 / 32
MERGED_MAX = 4              # gaps that were two waits: on the CPU for too short to stamp in between
SECONDS = 6
ALONE_S = 1                 # of those, at the end: it must not wait where it does not stamp any more
TRACEPOINT_NS = 1_000       # from the kernel's look at its clock to ours

SPINNER = """
import array, os, sys, time
os.write(1, b"ready\\n")
os.read(0, 1)
gaps, last = array.array("q"), time.monotonic_ns()
until = last + int(float(sys.argv[1]) * 1e9)
while last < until:
    now = time.monotonic_ns()
    if now - last > 100_000: gaps.append(now - last)
    last = now
os.write(1, gaps.tobytes())
os.read(0, 1)
"""

# Wants the CPU for times of all lengths.
RIVAL = """
import os, random, sys, time
draw = random.Random(int(sys.argv[1]))
os.write(1, b"ready\\n")
os.read(0, 1)
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    until = time.monotonic() + min(draw.expovariate(300), 0.05)
    while time.monotonic() < until: pass
    time.sleep(min(draw.expovariate(200), 0.05))
"""


def upper_end_of(buckets, rank):
    """Of the bucket that holds the rank-th longest wait, as the program says quantiles."""
    for bucket in reversed(buckets):
        rank -= bucket["count"]
        if rank <= 0:
            return bucket["max_ns"]
    raise AssertionError("not so many waits")


class Oracle(Tasks):
    def test_sums_are_those_of_the_kernel(self):
        runq = Runq("--by", "task")
        expected = self.ping_pong(300)
        tasks = {task["pid"]: task for task in runq.end()["tasks"]}
        for pid, (nr, wait_ns) in expected.items():
            print(f"  {pid}: {nr} waits, {wait_ns} ns; counted {tasks[pid]}", flush=True)
            self.assertEqual(tasks[pid]["count"], nr)
            self.assertLess(abs(tasks[pid]["sum_ns"] - wait_ns), TRACEPOINT_NS * nr)

    def test_quantiles_are_those_of_a_task_that_stamped_its_waits(self):
        rivals = [self.start(RIVAL, seed, SECONDS - ALONE_S) for seed in (1, 2)]
        spinner = self.start(SPINNER, SECONDS)
        for task in (*rivals, spinner):
            task.stdout.readline()
        runq = Runq("-p", str(spinner.pid))
        for task in (spinner, *rivals):
            os.write(task.stdin.fileno(), b"x")
        time.sleep(SECONDS + ALONE_S)   # do not take the CPU from it when it writes
        stamped = array.array("q", os.read(spinner.stdout.fileno(), 1 << 16))
        gaps = sorted((gap for gap in stamped if gap >= GAP_NS), reverse=True)
        counted = runq.end()["kinds"]["preempted"]
        buckets = [bucket for bucket in counted["histogram"] if bucket["min_ns"] >= GAP_NS]
        nr = sum(bucket["count"] for bucket in buckets)
        print(f"  {len(gaps)} gaps of {sum(gaps)} ns, {nr} waits counted, {counted['sum_ns']} ns of all", flush=True)
        self.assertGreater(len(gaps), 200)
        self.assertGreaterEqual(nr, sum(gap >= GAP_NS + SWITCHES_NS for gap in gaps))
        self.assertLessEqual(nr, len(gaps) + MERGED_MAX)
        for share in (0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999):
            rank = math.ceil((1 - share) * nr)
            longer, shorter = gaps[max(rank - 1 - MERGED_MAX, 0)], gaps[min(rank - 1 + MERGED_MAX, len(gaps) - 1)]
            said = upper_end_of(buckets, rank)
            print(f"  p{100 * share:g}: {gaps[rank - 1]} ns, counted {said} ns", flush=True)
            self.assertGreaterEqual(said, shorter - SWITCHES_NS)
            self.assertLessEqual(said, longer * (1 + BUCKET_ERROR))
        self.assertLess(counted["max_ns"], gaps[0] + SWITCHES_NS)
        self.assertGreater(counted["max_ns"], gaps[MERGED_MAX] - SWITCHES_NS)
        # The short ones are in this sum too, of which the task knows nothing.
        short_ns = sum(bucket["count"] * bucket["max_ns"] for bucket in counted["histogram"] if bucket["min_ns"] < GAP_NS)
        self.assertLess(abs(counted["sum_ns"] - sum(gaps)), len(gaps) * SWITCHES_NS + short_ns)


if __name__ == "__main__":
    unittest.main(verbosity=2)
