# SPDX-License-Identifier: GPL-2.0-only
"""Both built-in schedulers under stress, one after the other, inside a lab guest:
python3 stress_checks.py SEED SECONDS WATCHDOG STORM_NICE. The last line is what was done to scx_latency, as JSON."""
import json
import os
import random
import re
import subprocess
import sys
import time

from running import Running, kernel_log, make_cgroup, sched_ext
from stress_load import BUDGETED, NORMAL, Load
from stress_machine import online_cpus, toggle_cpu

PERIOD_S = 10   # or all of the time, if that is less
RUNAWAY_S = 1
DISTURBANCES_A_S = 50
DUMP_MAX = 40_000   # characters
LOG_MAX = 10_000
LONG_S = 60   # from here on CPUs go and come back: in an emulated guest each reload of the scheduler takes minutes beside all this
RELOAD_S_MAX = 600   # the loader reads the kernel's BTF again, beside all this, on CPUs that the host may give to others
CHANGED = "kept.slice"   # its budget is given and changed by command
BUDGETS = {"tight.slice": 100_000, "loose.slice": 5_000_000}
# And for how many seconds at most: of the one that is there to be read it is asked that it lives.
SCHEDULERS = ((["scx_simple"], PERIOD_S),
              (["scx_latency", "--slice", "tight.slice=100us", "--slice", "loose.slice=5ms"], 3600))
TROUBLE = re.compile(r"BUG:|WARNING:|Oops|soft lockup|hung task|rcu.*stall|sched_ext: .*(error|stall|failed)|"
                     r"sched_ext: .* disabled \((?!unregistered from (user space|the main kernel)\))")


def check(condition, what, run=None):
    if not condition:
        sys.exit(f"FAIL: {what}\n{story(run) if run else ''}")


class Stress:
    """One scheduler under stress: what was done to it, and what it did."""

    def __init__(self, run, load, seed, with_hotplug):
        self.run, self.load, self.with_hotplug = run, load, with_hotplug
        self.rng = random.Random(seed)
        self.cpus = online_cpus()
        self.budgets = dict(BUDGETS) if "scx_latency" in run.process.args else None
        self.done = {"hotplugs": 0, "reload_s_max": 0, "budget_changes": 0}

    def period(self, seconds):
        """Every worker must get on. With budgets a CPU goes and comes back: in a guest most of that is the loader's work."""
        before, began = self.load.counts(), time.monotonic()
        self.load.run_away(RUNAWAY_S)
        hotplugs = [began + seconds * part for part in (0.3, 0.6)] if self.with_hotplug and self.budgets and len(self.cpus) > 1 else []
        changes = [began + seconds * part for part in (0.2, 0.5, 0.8)] if self.budgets else []
        while time.monotonic() < began + seconds:
            time.sleep(1 / DISTURBANCES_A_S)
            check(self.run.process.poll() is None, "the scheduler ended", self.run)
            self.load.disturb()
            if hotplugs and hotplugs[0] < time.monotonic():
                hotplugs.pop(0)
                self.hotplug()
            if changes and changes[0] < time.monotonic():
                changes.pop(0)
                self.change_budget()
        for _ in hotplugs:   # a slow guest has not come to them
            self.hotplug()
        turns = {name: count - before[name] for name, count in self.load.counts().items()}
        print("  turns:", ", ".join(f"{name} {count}" for name, count in turns.items()), flush=True)
        starved = [name for name, count in turns.items() if count == 0]
        check(not starved, f"these starved for {seconds} s: {starved}; where they are:\n" + self.whereabouts(starved))

    def whereabouts(self, workers):
        """For a failure: the scheduler's counters, and of each worker its group, mask, class and state."""
        lines = [subprocess.run(["punctual", "status"], capture_output=True, text=True, check=False).stdout]
        for name in workers:
            for pid in self.load.pids_of(name):
                for file in ("cgroup", "status", "sched", "stack"):
                    with open(f"/proc/{pid}/{file}", encoding="utf-8") as text:
                        lines += [f"--- {name} {file}", text.read()[:1500]]
        return "\n".join(lines)

    def punctual(self, *arguments):
        ended = subprocess.run(["punctual", *arguments], capture_output=True, text=True, check=False)
        check(ended.returncode == 0, f"{arguments}: {ended.stderr}", self.run)
        return ended.stdout

    def hotplug(self):
        """The kernel ends the scheduler then; the loader brings it back, with the budgets as they stood."""
        loaded = sum(" enabled on cpus " in line for line in self.run.lines)
        began = time.monotonic()
        toggle_cpu(self.rng, self.cpus)
        try:
            self.run.wait_enabled(loaded + 1, RELOAD_S_MAX)
        except AssertionError:
            check(False, f"not loaded again {RELOAD_S_MAX} s after a hotplug, state {sched_ext('state')}", self.run)
        self.done["hotplugs"] += 1
        self.done["reload_s_max"] = max(self.done["reload_s_max"], round(time.monotonic() - began, 1))
        rows = json.loads(self.punctual("budget", "ls", "--json"))["budgets"]
        standing = {row["cgroup"]: row["budget_ns"] for row in rows}
        kept = {name: standing.get(name) for name in self.budgets}
        check(kept == self.budgets, f"after hotplug the budgets are {kept} and were {self.budgets}")

    def change_budget(self):
        self.done["budget_changes"] += 1
        if self.budgets.pop(CHANGED, None):
            self.punctual("budget", "clear", CHANGED)
        else:
            self.budgets[CHANGED] = self.rng.choice((70_000, 3_000_000))
            self.punctual("budget", "set", CHANGED, f"{self.budgets[CHANGED]}ns")


def story(run):
    """What a loader said, and where it is, or what the kernel said of its end."""
    parts = [*run.lines, "--- kernel log", kernel_log()[-LOG_MAX:]]
    if dump := run.find(r"dump is in (\S+)"):
        files = [dump[1]]
    else:
        files = [f"/proc/{run.process.pid}/{name}" for name in ("schedstat", "stack")]
    for name in filter(os.path.exists, files):
        with open(name, encoding="utf-8", errors="replace") as file:
            parts += [f"--- {name}", file.read()[:DUMP_MAX]]
    return "\n".join(parts)


def check_still_enabled(run):
    """Of a scheduler that the kernel has just ended its loader knows nothing yet, and it has the dump."""
    state = sched_ext("state")
    if state != "enabled":
        run.await_end()
        check(False, f"state {state} after the load", run)


def stress(arguments, seed, seconds, storm_nice):
    """Returns what was done."""
    period_s = min(PERIOD_S, seconds)
    with Running(*arguments) as run:
        run.wait_enabled()
        load = Load(seed, storm_nice)
        began, counts = time.monotonic(), load.counts()
        try:
            under_stress = Stress(run, load, seed, seconds >= LONG_S)
            for _ in range(seconds // period_s):
                under_stress.period(period_s)
            lasted_s = time.monotonic() - began
            done = {name: load.counts()[name] - counts[name] for name in ("storm", "cgroups")}
            check_still_enabled(run)
            check(run.stop() == 0, "the loader failed", run)   # with the load still there
        finally:
            load.stop()
        check(run.find(r"\(kind 64,"), "no orderly end", run)
    check(sched_ext("state") == "disabled", f"state {sched_ext('state')} after the end")
    return {"seconds": round(lasted_s), "forks_a_s": round(done["storm"] / lasted_s), "cgroups": done["cgroups"],
            "cpusets": load.cpusets, **under_stress.done}


def main(seed, seconds, watchdog, storm_nice):
    for group in (*BUDGETED, *NORMAL, CHANGED):
        make_cgroup(group)
    log_before = len(kernel_log())
    for arguments, seconds_max in SCHEDULERS:
        print(arguments[0], flush=True)
        done = stress([*arguments, "--timeout", watchdog], seed,
                      min(int(seconds), seconds_max), int(storm_nice))
    log = kernel_log()[log_before:]
    trouble = [line for line in log.splitlines() if TROUBLE.search(line)]
    check(not trouble, "the kernel said:\n" + "\n".join(trouble))
    print(json.dumps(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
