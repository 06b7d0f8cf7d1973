# SPDX-License-Identifier: GPL-2.0-only
"""One load under all the tools that count run-queue waits, at the same time: what each says of it.

  python3 tests/runq/rivals.py [--seconds 10] [--write]    --write: into docs/runq.md

Needs root, tracefs, and Debian's libbpf-tools, bpftrace and linux-perf. The truth is what the kernel says of the tasks
of the load (/proc/PID/schedstat): how often each got a CPU, and how long it waited in all. The tools watch the whole
machine, so on a busy one they count more."""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import table
from load import PAIR, children

ROOT = pathlib.Path(__file__).resolve().parents[2]
PUNCTUAL = os.environ.get("PUNCTUAL", str(ROOT / "build/punctual"))
BEGIN = "<!-- from tests/runq/rivals.py, by: python3 tests/runq/rivals.py --write -->"
LACKING = 3
CPU = max(os.sched_getaffinity(0))
TOOLS = {"runqlat": "libbpf-tools", "bpftrace": "bpftrace", "perf": "linux-perf"}
READY_S = 15        # until all tools are attached: bpftrace compiles
TRACEFS = pathlib.Path("/sys/kernel/tracing")
# Spinners that make no system call, ones that make nothing else, and a pair that wakes each other.
PIN = "import os, sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\n"
SPIN = "while True: pass"
CALL = "file = open('/dev/urandom', 'rb', 0)\nwhile True: file.read(65536)"


class Load:
    """Stopped from its start until run(); stopped again afterwards, so that its accounts stand still."""

    def __init__(self):
        self.leaders = [subprocess.Popen([sys.executable, "-c", code, str(CPU)], start_new_session=True)
                        for code in (PIN + SPIN, PIN + SPIN, PIN + CALL, PAIR)]
        time.sleep(1)   # until the pair has forked
        self.signal(signal.SIGSTOP)
        self.pids = [pid for leader in self.leaders for pid in (leader.pid, *children(leader.pid))]

    def signal(self, number):
        for leader in self.leaders:
            os.killpg(leader.pid, number)
        time.sleep(0.2)

    def accounts(self):
        """(times that they got a CPU, ns that they waited)"""
        rows = [pathlib.Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split() for pid in self.pids]
        return sum(int(row[2]) for row in rows), sum(int(row[1]) for row in rows)

    def run(self, seconds):
        self.signal(signal.SIGCONT)
        time.sleep(seconds)
        self.signal(signal.SIGSTOP)

    def end(self):
        self.signal(signal.SIGKILL)
        for leader in self.leaders:
            leader.wait()


def start(*argv, **options):
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def finish(process):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    if not out:
        sys.exit(f"{process.args[0]} said nothing: {err}")
    return out


def quantile_row(rows, share):
    """Of (low, high, count) rows the one with the quantile, as text."""
    left = share * sum(count for _, _, count in rows)
    for low, high, count in rows:
        left -= count
        if left <= 0:
            return f"{low:g} - {high:g}"
    return "-"


def log2_rows(text):
    """Of bcc's form "4 -> 7 : 12 |**" and bpftrace's "[4, 8) 12 |@@"."""
    scale = {"": 1, "K": 1024, "M": 1024 ** 2}
    rows = [(int(low), int(high), int(count)) for low, high, count in re.findall(r"(\d+) +-> (\d+) +: (\d+)", text)]
    for low, low_unit, high, high_unit, count in re.findall(r"\[(\d+)([KM]?), (\d+)([KM]?)\) +(\d+)", text):
        rows.append((int(low) * scale[low_unit], int(high) * scale[high_unit], int(count)))
    for value, count in re.findall(r"^\[(\d+)\] +(\d+)", text, re.MULTILINE):   # bpftrace: one value
        rows.append((int(value), int(value) + 1, int(count)))
    return sorted(rows)


def log2_row(name, text):
    rows = log2_rows(text)
    return name, sum(count for _, _, count in rows), "-", quantile_row(rows, 0.5), quantile_row(rows, 0.99), "-"


def ours_rows(text, pids):
    said = json.loads(text)
    waits = said["all"]
    load = [task for task in said["tasks"] if task["pid"] in pids]
    return [("punctual runq, of the load", sum(task["count"] for task in load),
             f"{sum(task['sum_ns'] for task in load) / 1e6:.1f}", "-", "-", "-"),
            ("punctual runq", waits["count"], f"{waits['sum_ns'] / 1e6:.1f}", f"{waits['p50_ns'] / 1000:.1f}",
             f"{waits['p99_ns'] / 1000:.1f}", f"{waits['max_ns'] / 1000:.0f}")], said["losses"]


def perf_row(data):
    """perf sched latency: a line a task, with switches, average and maximum delay in ms."""
    text = subprocess.run(["perf", "sched", "-i", data, "latency", "-p"], capture_output=True, text=True,
                          check=True, errors="replace").stdout
    lines = re.findall(r"\|\s+[\d.]+ ms \|\s+(\d+) \| avg:\s*([\d.]+) ms \| max:\s*([\d.]+) ms", text)
    total_ms = sum(int(nr) * float(average) for nr, average, _ in lines)
    return ("perf sched latency", sum(int(nr) for nr, _, _ in lines), f"{total_ms:.1f}", "-", "-",
            f"{max((float(longest) for _, _, longest in lines), default=0) * 1000:.0f}")


def bpftrace_program():
    """Debian's own, less the header of which it takes one constant: it wants the headers of the kernel."""
    text = pathlib.Path("/usr/sbin/runqlat.bt").read_text(encoding="utf-8")
    return text.replace("#include <linux/sched.h>", "").replace("TASK_RUNNING", "0")


def measure(seconds, folder):
    data = f"{folder}/perf.data"
    load = Load()
    try:
        tools = (start(PUNCTUAL, "runq", "1h", "--json", "--by", "task"), start("runqlat"), start("bpftrace", "-e", bpftrace_program()),
                 start("perf", "sched", "record", "-m", "16M", "-o", data))
        time.sleep(READY_S)
        nr, wait_ns = load.accounts()
        load.run(seconds)
        nr, wait_ns = (after - before for after, before in zip(load.accounts(), (nr, wait_ns)))
        ours, runqlat, bpftrace = (finish(tool) for tool in tools[:3])
        tools[3].send_signal(signal.SIGINT)
        tools[3].communicate(timeout=300)
    finally:
        load.end()
    rows, losses = ours_rows(ours, load.pids)
    rows = [("the kernel, of the load", nr, f"{wait_ns / 1e6:.1f}", "-", "-", "-"), *rows, log2_row("runqlat", runqlat),
            log2_row("runqlat.bt", bpftrace), perf_row(data)]
    return rows, losses


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    missing = [package for tool, package in TOOLS.items() if not shutil.which(tool)]
    if missing or os.geteuid() != 0:
        print(f"needs root and {', '.join(missing) or 'nothing else'} (apt install)", file=sys.stderr)
        return LACKING
    if not (TRACEFS / "events").is_dir():
        print(f"{TRACEFS} is empty: mount -t tracefs none {TRACEFS}", file=sys.stderr)
        return LACKING
    with tempfile.TemporaryDirectory() as folder:
        rows, losses = measure(given.seconds, folder)
    lines = ["| tool | waits | in all ms | p50 us | p99 us | max us |", "|---|---:|---:|---:|---:|---:|"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    lines += ["", "What was lost to ours: " + ", ".join(f"{name} {nr}" for name, nr in losses.items()) + "."]
    print("\n".join(lines))
    if given.write:
        table.write(BEGIN, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
