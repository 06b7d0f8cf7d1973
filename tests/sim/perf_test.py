# SPDX-License-Identifier: GPL-2.0-only
"""What `perf sched record` sees on this machine is replayed with all its running time, to 0.1 %.

Beside others that switch a lot perf loses events, and virtual machines hide some. A CPU counts as busy around them, as in the program;
but of a task that was seen on another CPU before it left the first nobody knows how long it stayed there. So the running time that
is replayed has to lie between that without any such time and that with all of it."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PUNCTUAL = os.environ["PUNCTUAL"]
SWITCH = re.compile(r"\[(\d+)\]\s+(\d+)\.(\d+):\s+sched:(?:sched_switch: .*prev_pid=(\d+) .*next_pid=(\d+)|sched_wak)")
PART = 0.001   # of the demand, that may be missing
UNKNOWN_MAX = 0.01   # of the demand; else recorded again, a few times
TRIES = 3


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(77)


def record(folder):
    """Pipes and sleeps for half a second: wakeups by tasks and by timers."""
    work = "for i in 1 2 3 4; do seq 20000 | sort -n | tail -1; sleep 0.05; done"
    data = folder / "data"
    done = subprocess.run(["perf", "sched", "record", "-o", data, "sh", "-c", work], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, timeout=120)
    if done.returncode or not data.exists():
        skip(f"this machine does not let perf record its scheduler: {done.stderr.strip().splitlines()[-1:]}")
    text = subprocess.run(["perf", "sched", "-i", data, "script", "--ns"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, timeout=120, check=True).stdout
    (folder / "trace").write_text(text)
    return text


def running_ns(text):
    """On all CPUs, without idle tasks, counted another way than the program does; and the time that nobody knows of."""
    since, where, known, unknown, first, last = {}, {}, 0, 0, None, 0
    for cpu, seconds, part, prev, following in (match.groups() for match in map(SWITCH.search, text.splitlines()) if match):
        now = int(seconds) * 10**9 + int(part.ljust(9, "0"))
        first, last = first or now, now
        if prev is None:
            continue
        if cpu not in since:   # it ran when the recording began, unless it came from elsewhere
            since[cpu] = (first, prev)
            where.setdefault(prev, cpu)
        begun, pid = since[cpu]
        if pid != "0" and where[pid] == cpu:
            known += now - begun
            where[pid] = None
        elif pid != "0":
            unknown += now - begun
        where[prev] = None
        since[cpu], where[following] = (now, following), cpu
    at_end = [(last - begun, where[pid] == cpu) for cpu, (begun, pid) in since.items() if pid != "0"]
    return known + sum(ns for ns, fits in at_end if fits), unknown + sum(ns for ns, fits in at_end if not fits)


def recorded(folder):
    """The last of a few recordings, the first that knows nearly all: what it knows and does not know."""
    for _ in range(TRIES):
        known_ns, unknown_ns = running_ns(record(folder))
        if unknown_ns <= UNKNOWN_MAX * known_ns:
            break
        print(f"switches are missing: {unknown_ns} ns unknown beside {known_ns} ns")
    return known_ns, unknown_ns


def blame(error, folder):
    """With the line that the program does not take."""
    line = re.search(r"trace:(\d+):", error)
    lines = (folder / "trace").read_text().splitlines()
    return error + (lines[int(line.group(1)) - 1] if line else "")


def main():
    if not shutil.which("perf"):
        skip("no perf (scripts/setup tests installs it)")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        known_ns, unknown_ns = recorded(folder)
        for cpus in ("1", "2", "8"):
            done = subprocess.run([PUNCTUAL, "sim", "--trace", folder / "trace", "--cpus", cpus, "--policy",
                                   "eevdf,scx_latency=60us", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, timeout=120)
            assert done.returncode == 0, blame(done.stderr, folder)
            result = json.loads(done.stdout)
            for arm in result["arms"]:
                print(f"{cpus} CPUs, {arm['name']}: {arm['work_ns']} of {known_ns} to {known_ns + unknown_ns} ns in {arm['length_ns']} ns")
                assert arm["unfinished"] == 0, arm
                slack_ns = PART * known_ns
                assert known_ns - slack_ns <= arm["work_ns"] <= known_ns + unknown_ns + slack_ns, (arm["work_ns"], known_ns, unknown_ns)


if __name__ == "__main__":
    main()
