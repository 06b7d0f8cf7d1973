# SPDX-License-Identifier: GPL-2.0-only
"""The collector under load, as `make runq-long` runs it: nothing is lost, totals are the kernel's, memory is bounded.

  python3 tests/runq/long.py [--short] [--write]    --write: into docs/runq.md

Needs root and cgroups of version 2. With --short a tenth of everything. Exit status 1: a claim does not hold, 77: this
machine cannot."""
import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import table
from load import PAIR, children

ROOT = pathlib.Path(__file__).resolve().parents[2]
PUNCTUAL = os.environ.get("PUNCTUAL", str(ROOT / "build/punctual"))
BEGIN = "<!-- from tests/runq/long.py, by: make runq-long -->"
GROUPS = pathlib.Path("/sys/fs/cgroup/unified" if os.path.exists("/sys/fs/cgroup/unified/cgroup.procs") else "/sys/fs/cgroup")
LACKING, SKIPPED = 3, 77
READY_S = 2
WAIT_S = 60
THREADS_S = 10
MEMORY_GROWTH_KIB_MAX = 4096   # a table of all cgroups that ever were would take more
IN_A_ROW_MAX = 4
QUIET_S = 6                  # by then rows of removed cgroups are given back, where rows are short
UNKNOWN_MAX = 0.002
NR_TASKS = 100               # that may have waited when we attached
SKEW_MAX = 0.01              # CPUs and cgroups are read one after the other, while waits go on

THREADS = """
import sys, threading, time
threading.stack_size(65536)
gate = threading.Event()
def work():
    gate.wait()
    while True: time.sleep(0.5)
for _ in range(int(sys.argv[1])):
    threading.Thread(target=work, daemon=True).start()
gate.set()
while True: time.sleep(1)
"""


class Runq:
    def __init__(self, *options):
        self.out = tempfile.TemporaryFile("w+")   # a pipe would be full after a few windows, and it would wait for us
        self.process = subprocess.Popen([PUNCTUAL, "runq", *options, "--json"], stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=subprocess.PIPE, text=True)
        wait_for(self.is_attached, "the probes")
        time.sleep(READY_S)   # until the first look, too

    def is_attached(self):
        """Holds it links of BPF?"""
        return any("link_id" in text_of(info) for info in pathlib.Path(f"/proc/{self.process.pid}/fdinfo").iterdir())

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    def end(self):
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=300)
        if self.process.returncode != 0:
            sys.exit(err)
        with self.out:
            self.out.seek(0)
            return [json.loads(line) for line in self.out]


def wait_for(condition, what):
    until = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > until:
            sys.exit(f"waited {WAIT_S} s for {what}")
        time.sleep(0.001)


def text_of(file):
    """Empty when it has gone meanwhile."""
    try:
        return file.read_text(encoding="ascii")
    except FileNotFoundError:
        return ""


def removed(group):
    """A process that has ended may be in it for a moment longer."""
    try:
        group.rmdir()
    except OSError:
        return False
    return True


def accounts(pid):
    """Of all its threads: (times that they got a CPU, ns that they waited)"""
    rows = [path.read_text(encoding="ascii").split() for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(int(row[2]) for row in rows), sum(int(row[1]) for row in rows)


def is_stopped(pid):
    """With all its threads."""
    stats = [path.read_text(encoding="ascii") for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(stat.rsplit(")", 1)[1].split()[0] == "T" for stat in stats)


def stop(pids):
    """Their accounts stand still afterwards."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: all(is_stopped(pid) for pid in pids), "the load to stop")


def compared(said, pids, threads=0):
    """What is counted of these processes, in words, and whether that is all; and what the kernel counted.

    A switch of which the kernel does not tell (there are kernels that hide some) may cost one wait, and is noticed at
    the next one that it tells: of several in a row only the last. A task that ran unseen in its wait is a loss. A wait of
    which it did not tell the beginning is of unknown start: of `threads` that are made meanwhile a fifth to a third has one,
    however few waits follow on a busy machine."""
    tasks = [task for task in said["tasks"] if task["tgid"] in pids]
    ours, our_ns = sum(task["count"] for task in tasks), sum(task["sum_ns"] for task in tasks)
    nr, wait_ns = map(sum, zip(*(accounts(pid) for pid in pids)))
    lost, unseen, unknown = (said["losses"][kind] for kind in ("lost", "unseen_switches", "unknown_start"))
    words = (f"{ours:,} of {nr:,} waits, {our_ns / wait_ns:.4f} of the time; lost {lost}, unknown start {unknown}, "
             f"unseen switches {unseen}")
    are_told = nr - ours <= unknown + IN_A_ROW_MAX * unseen
    return words, lost <= unseen and ours <= nr and are_told and unknown <= UNKNOWN_MAX * nr + NR_TASKS + threads // 2, nr


def switches(seconds):
    """A pair on each CPU, as fast as they can."""
    runq = Runq("1h", "--by", "task")
    leaders = [subprocess.Popen([sys.executable, "-c", PAIR, str(cpu)]) for cpu in os.sched_getaffinity(0)]
    time.sleep(seconds)
    pids = [pid for leader in leaders for pid in (leader.pid, *children(leader.pid))]
    stop(pids)
    said = runq.end()[0]
    words, holds, nr = compared(said, pids)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for leader in leaders:
        leader.wait()
    return f"{nr / seconds:,.0f} waits/s for {seconds:g} s", words, holds


def threads(nr):
    runq = Runq("1h", "--by", "task")
    process = subprocess.Popen([sys.executable, "-c", THREADS, str(nr)])
    time.sleep(THREADS_S)
    stop([process.pid])
    said = runq.end()[0]
    words, holds, _ = compared(said, [process.pid], threads=nr)
    process.kill()
    process.wait()
    return f"{nr:,} threads that wake at a time", words, holds


def visit(group, *command):
    """By a process, from its making to its removal. Returns its id."""
    group.mkdir()
    number = group.stat().st_ino
    child = subprocess.Popen(command, preexec_fn=lambda: (group / "cgroup.procs").write_text("0"))
    child.wait()
    wait_for(lambda: removed(group), f"the removal of {group}")
    return number


def cgroups(nr):
    """Made, entered, left and removed, while we count every second. The last one still gets a row of its own."""
    runq = Runq("1", "--by", "cgroup")
    begin_kib = None
    for i in range(nr):
        visit(GROUPS / f"punctual-long-{i}", "true")
        if i == nr // 2:
            begin_kib = runq.resident_kib()
    end_kib = runq.resident_kib()
    time.sleep(QUIET_S)
    last = visit(GROUPS / "punctual-long-last", "sleep", "0.1")
    windows = runq.end()
    is_told_apart = any(row["id"] == last for window in windows for row in window["cgroups"])
    total = sum(window["all"]["count"] for window in windows)
    by_cgroup = sum(row["count"] for window in windows for row in window["cgroups"])
    lost, unseen = (sum(window["losses"][kind] for window in windows) for kind in ("lost", "unseen_switches"))
    rows = max(len(window["cgroups"]) for window in windows)
    return (f"{nr:,} cgroups made, entered and removed", f"{total:,} waits, {by_cgroup:,} by cgroup; at most {rows} rows; "
            f"{begin_kib:,} KiB at the half, {end_kib:,} at the end; lost {lost}, unseen switches {unseen}; one that came later "
            f"{'has a row' if is_told_apart else 'has NO row'}",
            is_told_apart and total > nr and abs(total - by_cgroup) <= SKEW_MAX * total and lost <= unseen
            and end_kib < begin_kib + MEMORY_GROWTH_KIB_MAX)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    probe = subprocess.run([PUNCTUAL, "runq", "100ms", "1"], capture_output=True, text=True, check=False)
    if probe.returncode == LACKING:
        print(f"skipped: {probe.stderr}")
        return SKIPPED
    part = 10 if given.short else 1
    rows = [switches(60 / part), threads(5_000 // part), cgroups(10_000 // part)]
    lines = ["| load | counted | holds |", "|---|---|---|"]
    lines += [f"| {load} | {counted} | {'yes' if holds else 'NO'} |" for load, counted, holds in rows]
    print("\n".join(lines))
    if given.write:
        table.write(BEGIN, lines)
    return 0 if all(holds for _, _, holds in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
