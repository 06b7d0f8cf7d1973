# SPDX-License-Identifier: GPL-2.0-only
"""Both built-in schedulers under stress, one after the other, inside a lab guest: python3 stress_checks.py SEED."""
import os
import re
import sys
import time

from running import Running, kernel_log, make_cgroup, sched_ext
from stress_load import BUDGETED, NORMAL, Load

STRESS_S = 20
PERIODS = 2
RUNAWAY_S = 1
DISTURBANCES_A_S = 50
SCHEDULERS = (["scx_simple"], ["scx_latency", "--slice", "tight.slice=100us", "--slice", "loose.slice=5ms"])
TROUBLE = re.compile(r"BUG:|WARNING:|Oops|soft lockup|hung task|rcu.*stall|sched_ext: .*(error|stall|failed)|"
                     r"sched_ext: .* disabled \((?!unregistered from user space)")


def check(condition, what):
    if not condition:
        sys.exit(f"FAIL: {what}")


def period(run, load):
    """Every worker must get on in each period."""
    before = load.counts()
    load.run_away(RUNAWAY_S)
    end = time.monotonic() + STRESS_S / PERIODS - RUNAWAY_S
    while time.monotonic() < end:
        time.sleep(1 / DISTURBANCES_A_S)
        check(run.process.poll() is None, "the scheduler ended:\n" + "\n".join(run.lines))
        load.disturb()
    turns = {name: count - before[name] for name, count in load.counts().items()}
    print("  turns:", ", ".join(f"{name} {count}" for name, count in turns.items()), flush=True)
    starved = [name for name, count in turns.items() if count == 0]
    check(not starved, f"these starved for {STRESS_S / PERIODS} s: {starved}")


def stress(arguments, seed):
    with Running(*arguments) as run:
        run.wait_enabled()
        load = Load(seed)
        try:
            for _ in range(PERIODS):
                period(run, load)
            check(sched_ext("state") == "enabled", f"state {sched_ext('state')} after the load")
            check(run.stop() == 0, "the loader failed:\n" + "\n".join(run.lines))   # with the load still there
        finally:
            load.stop()
        check(run.find(r"\(kind 64,"), "no orderly end:\n" + "\n".join(run.lines))
    check(sched_ext("state") == "disabled", f"state {sched_ext('state')} after the end")


def main(seed):
    for group in (*BUDGETED, *NORMAL):
        make_cgroup(group)
    log_before = len(kernel_log())
    for arguments in SCHEDULERS:
        print(arguments[0], flush=True)
        stress(arguments, seed)
    log = kernel_log()[log_before:]
    trouble = [line for line in log.splitlines() if TROUBLE.search(line)]
    check(not trouble, "the kernel said:\n" + "\n".join(trouble))


if __name__ == "__main__":
    main(sys.argv[1])
