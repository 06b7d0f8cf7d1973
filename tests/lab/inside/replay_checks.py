# SPDX-License-Identifier: GPL-2.0-only
"""Records every decision of scx_latency under a mixed load, and asks the policy again, as it is compiled in the
program: replay_checks.py SECONDS DECISIONS [KEEP]. At least DECISIONS of them, of all kinds, and none lost.
KEEP: afterwards a recording with so many of each kind goes to stdout. Runs inside a lab guest."""
import os
import re
import subprocess
import sys
import time

from policy_checks import CLASSES, NORMAL, Load, running
from running import make_cgroup

FILE = "/tmp/decisions"
RUNAWAY_S = 0.3   # several periods of the cap; two of them leave the loader too little CPU to read for long
LINE = re.compile(r"^(\w+) +(\d+)$", re.MULTILINE)


def check(condition, what):
    if not condition:
        sys.exit(f"FAIL: {what}")


def wake_kernel_threads(seconds):
    """Bound ones: each CPU has a kworker for what these writes leave behind, and ksoftirqd for its timers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for cpu in os.sched_getaffinity(0):
            subprocess.run(["taskset", "-c", str(cpu), "sh", "-c", "echo 1 > /proc/sys/vm/drop_caches"], check=False,
                           stderr=subprocess.DEVNULL)
        time.sleep(0.05)


def record(seconds):
    with running("--cap", "loose.slice=30%", "--record-decisions", FILE) as run:
        run.wait_enabled()
        with Load() as load:
            load.start_classes()
            load.start_spinners(1 + len(os.sched_getaffinity(0)))
            wake_kernel_threads(seconds)
            load.start("loose.slice", 0, 10_000)
            load.start("vnf.slice", 0, 10_000)
            time.sleep(RUNAWAY_S)
        check(run.stop() == 0, "\n".join(run.lines))
        return run.wait_line(r"has (\d+) decisions; (\d+) were lost, (\d+) left out")


def main(seconds, decisions, keep=None):
    for group in (*CLASSES, NORMAL):
        make_cgroup(group)
    told = [int(number) for number in record(float(seconds)).groups()]
    ended = subprocess.run(["punctual", "sim", "--replay", FILE], capture_output=True, text=True, check=False)
    print(ended.stdout, ended.stderr, file=sys.stderr, flush=True)
    check(ended.returncode == 0, f"status {ended.returncode}")
    counts = {name: int(count) for name, count in LINE.findall(ended.stdout)}
    check(told == [sum(counts.values()), 0, 0], f"`run` tells of {told}, the replay of {counts}")
    check(told[0] >= int(decisions), f"only {told[0]} decisions")
    check(all(counts.values()), f"a kind is missing: {counts}")
    if keep:
        here = os.path.dirname(os.path.abspath(__file__))
        subprocess.run([sys.executable, "-B", f"{here}/../../recordings/shorten.py", FILE, "-", keep], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
