# SPDX-License-Identifier: GPL-2.0-only
"""What `perf sched record` sees on this machine is replayed with all its running time, to 0.1 %."""
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


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(77)


def record(folder):
    """Pipes and sleeps for a second: wakeups by tasks and by timers."""
    work = "for i in 1 2 3 4 5 6 7 8; do seq 20000 | sort -n | tail -1; sleep 0.05; done"
    data = folder / "data"
    done = subprocess.run(["perf", "sched", "record", "-o", data, "sh", "-c", work], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    if done.returncode or not data.exists():
        skip(f"this machine does not let perf record its scheduler: {done.stderr.strip().splitlines()[-1:]}")
    text = subprocess.run(["perf", "sched", "-i", data, "script", "--ns"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, timeout=60, check=True).stdout
    (folder / "trace").write_text(text)
    return text


def running_ns(text):
    """On all CPUs, without idle tasks; counted another way than the program does."""
    since, busy, first, last = {}, 0, None, 0
    for cpu, seconds, part, prev, following in (match.groups() for match in map(SWITCH.search, text.splitlines()) if match):
        now = int(seconds) * 10**9 + int(part.ljust(9, "0"))
        first, last = first or now, now
        if prev is None:
            continue
        begun, pid = since.get(cpu, (first, prev))
        busy += now - begun if pid != "0" else 0
        since[cpu] = (now, following)
    return busy + sum(last - begun for begun, pid in since.values() if pid != "0")


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
        demand_ns = running_ns(record(folder))
        for cpus in ("1", "2", "8"):
            done = subprocess.run([PUNCTUAL, "sim", "--trace", folder / "trace", "--cpus", cpus, "--policy",
                                   "eevdf,scx_latency=60us", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, timeout=120)
            assert done.returncode == 0, blame(done.stderr, folder)
            result = json.loads(done.stdout)
            for arm in result["arms"]:
                print(f"{cpus} CPUs, {arm['name']}: {arm['work_ns']} of {demand_ns} ns in {arm['length_ns']} ns")
                assert arm["unfinished"] == 0, arm
                assert abs(arm["work_ns"] - demand_ns) <= PART * demand_ns, (arm["work_ns"], demand_ns)


if __name__ == "__main__":
    main()
