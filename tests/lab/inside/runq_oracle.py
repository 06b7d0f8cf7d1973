# SPDX-License-Identifier: GPL-2.0-only
"""A task that knows how long it waited, against what `punctual runq` counts of it. Runs inside a lab guest with one CPU
in virtual time, where nothing but the scheduler can keep the CPU from a task.

A spinner stamps the time as fast as it can: a gap between two stamps is a wait, and the switches there and back."""
import json
import math
import subprocess
import sys
import unittest

from runq_checks import Runq

GAP_NS = 1 << 17            # shorter ones are interrupts; an edge of our buckets
SWITCHES_NS = 15_000        # there and back, on this slow CPU, with an interrupt
BUCKET_ERROR = 1 / 32
SECONDS = 6

SPINNER = """
import json, sys, time
sys.stdin.readline()
gaps, last = [], time.monotonic_ns()
until = last + int(float(sys.argv[1]) * 1e9)
while last < until:
    now = time.monotonic_ns()
    if now - last > 100_000: gaps.append(now - last)
    last = now
print(json.dumps(gaps), flush=True)
sys.stdin.readline()
"""

# Wants the CPU for times of all lengths.
RIVAL = """
import random, time
draw = random.Random(int(__import__("sys").argv[1]))
while True:
    until = time.monotonic() + min(draw.expovariate(300), 0.05)
    while time.monotonic() < until: pass
    time.sleep(min(draw.expovariate(200), 0.05))
"""


def start(code, *arguments):
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)


def upper_end_of(buckets, rank):
    """Of the bucket that holds the rank-th longest wait, as the program says quantiles."""
    for bucket in reversed(buckets):
        rank -= bucket["count"]
        if rank <= 0:
            return bucket["max_ns"]
    raise AssertionError("not so many waits")


class Oracle(unittest.TestCase):
    def test_quantiles_are_those_of_a_task_that_stamped_its_waits(self):
        spinner = start(SPINNER, SECONDS)
        rivals = [start(RIVAL, seed) for seed in (1, 2)]
        runq = Runq("-p", str(spinner.pid))
        spinner.stdin.write("go\n")
        spinner.stdin.flush()
        gaps = sorted((gap for gap in json.loads(spinner.stdout.readline()) if gap >= GAP_NS), reverse=True)
        for rival in rivals:
            rival.kill()
            rival.communicate()
        counted = runq.end()["kinds"]["preempted"]
        spinner.communicate("end\n")
        buckets = [bucket for bucket in counted["histogram"] if bucket["min_ns"] >= GAP_NS]
        nr = sum(bucket["count"] for bucket in buckets)
        print(f"  {len(gaps)} gaps of {sum(gaps)} ns, {nr} waits counted, {counted['sum_ns']} ns of all", flush=True)
        self.assertGreater(len(gaps), 200)
        self.assertGreaterEqual(nr, sum(gap >= GAP_NS + SWITCHES_NS for gap in gaps))
        self.assertLessEqual(nr, len(gaps))
        for share in (0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999):
            rank = math.ceil((1 - share) * nr)
            truth, said = gaps[rank - 1], upper_end_of(buckets, rank)
            print(f"  p{100 * share:g}: {truth} ns, counted {said} ns", flush=True)
            self.assertGreaterEqual(said, truth - SWITCHES_NS)
            self.assertLessEqual(said, truth * (1 + BUCKET_ERROR))
        self.assertLess(abs(counted["max_ns"] - gaps[0]), SWITCHES_NS)
        # The short ones are in this sum too, of which the task knows nothing.
        short_ns = sum(bucket["count"] * bucket["max_ns"] for bucket in counted["histogram"] if bucket["min_ns"] < GAP_NS)
        self.assertLess(abs(counted["sum_ns"] - sum(gaps)), len(gaps) * SWITCHES_NS + short_ns)


if __name__ == "__main__":
    unittest.main(verbosity=2)
