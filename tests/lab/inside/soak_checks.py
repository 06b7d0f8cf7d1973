# SPDX-License-Identifier: GPL-2.0-only
"""Everything that runs for long, at once and beside a load that changes all the time, inside a lab guest:
soak_checks.py SEED SECONDS. The guard must keep its scheduler without a fault, and the memory of guard and collectors must
not grow. The last line is JSON: what was done, and the growth of each."""
import json
import os
import re
import statistics
import subprocess
import sys
import time

from running import Running, kernel_log, make_cgroup, sched_ext
from stress_checks import BUDGETS, DISTURBANCES_A_S, TROUBLE, check, story
from stress_load import BUDGETED, NORMAL, Load

WATCHDOG = "30s"   # in an emulated guest the host forgets a CPU for seconds
STORM_NICE = 0
SAMPLE_S = 1
STATE_DIR = "/tmp/soak-state"
WARM_S = 300
COLLECTORS = {"runq": ["runq", "1s", "--json", "--by", "cgroup"], "record": ["record", "-o", "/dev/shm/soak", "--duration", "24h"]}
WRITTEN = {"runq": "/dev/shm/soak-runq", "record": "/dev/shm/soak"}


def own_kb(pid):
    """What it allocated, exactly: pages of files come and go with the kernel's cache, a third of VmRSS in seconds."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"Anonymous:\s+(\d+)", file.read())[1])


def growth_percent(samples):
    """From the second quarter of the time, when all is warm, to the last, by their medians."""
    quarter = len(samples) // 4
    return round(100 * (statistics.median(samples[-quarter:]) / statistics.median(samples[quarter:2 * quarter]) - 1), 2)


def wait_warm(guard):
    """Until each collector writes: before, its memory grows by loading what it needs."""
    deadline = time.monotonic() + WARM_S
    for name, path in WRITTEN.items():
        while not (os.path.exists(path) and os.path.getsize(path)):
            check(time.monotonic() < deadline, f"{name} has written nothing after {WARM_S} s", guard)
            time.sleep(0.1)


def soak(guard, load, processes, seconds):
    samples = {name: [] for name in processes}
    before, began = load.counts(), time.monotonic()
    next_sample = began + SAMPLE_S
    while time.monotonic() < began + seconds:
        time.sleep(1 / DISTURBANCES_A_S)
        load.disturb()
        if time.monotonic() < next_sample:
            continue
        next_sample += SAMPLE_S
        for name, process in processes.items():
            check(process.poll() is None, f"{name} ended with {process.returncode}", guard)
            samples[name].append(own_kb(process.pid))
    done = {name: load.counts()[name] - before[name] for name in ("storm", "cgroups")}
    return samples, {"seconds": round(time.monotonic() - began), **done}


def main(seed, seconds):
    for group in (*BUDGETED, *NORMAL):
        make_cgroup(group)
    log_before = len(kernel_log())
    slices = [word for name, ns in BUDGETS.items() for word in ("--slice", f"{name}={ns}ns")]
    with Running("scx_latency", *slices, "--timeout", WATCHDOG, "--slo", "starved > 0", "--state-dir", STATE_DIR,
                 command="guard") as guard:
        guard.wait_enabled()
        processes = {"guard": guard.process}
        for name, arguments in COLLECTORS.items():
            with open("/dev/null" if name == "record" else WRITTEN[name], "wb") as out:
                processes[name] = subprocess.Popen(["punctual", *arguments], stdin=subprocess.DEVNULL, stdout=out)
        wait_warm(guard)
        load = Load(seed, STORM_NICE)
        try:
            samples, done = soak(guard, load, processes, int(seconds))
        finally:
            load.stop()
            for name in COLLECTORS:
                processes[name].terminate()
                processes[name].wait()
        check(sched_ext("state") == "enabled", f"state {sched_ext('state')} after the soak", guard)
        check(not guard.find(r"fault \d"), "the guard saw a fault", guard)
        check(guard.stop() == 0, "the guard failed", guard)
    trouble = [line for line in kernel_log()[log_before:].splitlines() if TROUBLE.search(line)]
    check(not trouble, "the kernel said:\n" + "\n".join(trouble) + story(guard))
    done["recorded_bytes"] = os.path.getsize("/dev/shm/soak")
    for name, values in samples.items():
        done[f"{name}_kb"] = values[-1]
        done[f"{name}_growth_percent"] = growth_percent(values)
    print(json.dumps(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
