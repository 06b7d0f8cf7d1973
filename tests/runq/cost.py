# SPDX-License-Identifier: GPL-2.0-only
"""What our probes cost beside those of libbpf-tools' runqlat, on this machine: both at a time, under one load, by the
kernel's BPF statistics, less what an empty program reads. Needs root. See `make runq-cost`."""
import ctypes
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PUNCTUAL = os.environ.get("PUNCTUAL", os.path.join(HERE, "../../build/punctual"))
ROUNDS = 8
ROUND_TRIPS = 50_000
CPU = max(os.sched_getaffinity(0))
BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
PROG_GET_NEXT_ID, PROG_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD = 11, 13, 15
PROGRAMS_MAX = 10_000

libc = ctypes.CDLL(None, use_errno=True)


class Info(ctypes.Structure):
    """The head of struct bpf_prog_info, and as much behind it as holds the statistics."""
    _fields_ = [("type", ctypes.c_uint32), ("id", ctypes.c_uint32), ("before", ctypes.c_char * 56),
                ("name", ctypes.c_char * 16), ("between", ctypes.c_char * 112),
                ("run_time_ns", ctypes.c_uint64), ("run_cnt", ctypes.c_uint64), ("rest", ctypes.c_char * 24)]


assert Info.name.offset == 64 and Info.run_time_ns.offset == 192


def bpf(command, attributes):
    return libc.syscall(BPF, command, attributes, len(attributes))


def program_statistics():
    """Program id -> (name, ns, runs)."""
    found, last = {}, 0
    for _ in range(PROGRAMS_MAX):
        attributes = ctypes.create_string_buffer(last.to_bytes(4, sys.byteorder), 16)
        if bpf(PROG_GET_NEXT_ID, attributes) != 0:
            break
        last = int.from_bytes(attributes.raw[4:8], sys.byteorder)
        fd = bpf(PROG_GET_FD_BY_ID, ctypes.create_string_buffer(last.to_bytes(4, sys.byteorder), 16))
        if fd < 0:
            continue
        info = Info()
        head = fd.to_bytes(4, sys.byteorder) + ctypes.sizeof(info).to_bytes(4, sys.byteorder)
        attributes = ctypes.create_string_buffer(head + ctypes.addressof(info).to_bytes(8, sys.byteorder), 16)
        if bpf(OBJ_GET_INFO_BY_FD, attributes) == 0:
            found[last] = (info.name.decode(), info.run_time_ns, info.run_cnt)
        os.close(fd)
    return found


def ping_pong():
    """Two processes on one CPU, each woken by the other."""
    os.sched_setaffinity(0, {CPU})
    there, back = os.pipe(), os.pipe()
    if os.fork() == 0:
        for _ in range(ROUND_TRIPS):
            os.read(there[0], 1)
            os.write(back[1], b"x")
        os._exit(0)
    for _ in range(ROUND_TRIPS):
        os.write(there[1], b"x")
        os.read(back[0], 1)
    os.wait()


def ns_per_run(before, after):
    """Name -> ns a run, of programs that ran a lot meanwhile."""
    costs = {}
    for number, (name, ns, runs) in after.items():
        _, ns_before, runs_before = before.get(number, (name, 0, 0))
        if runs - runs_before > ROUND_TRIPS:
            costs[name] = (ns - ns_before) / (runs - runs_before)
    return costs


def least_of_rounds():
    least = {}
    for _ in range(ROUNDS):
        before = program_statistics()
        child = os.fork()
        if child == 0:
            ping_pong()
            os._exit(0)
        os.waitpid(child, 0)
        for name, ns in ns_per_run(before, program_statistics()).items():
            least[name] = min(ns, least.get(name, ns))
    return least


def main():
    if os.geteuid() != 0:
        sys.exit("runq-cost needs root (sudo make runq-cost)")
    if not shutil.which("runqlat"):
        sys.exit("there is no runqlat to compare with: apt install libbpf-tools")
    ours = subprocess.Popen([PUNCTUAL, "runq", "1h", "--json", "--cost"], stdout=subprocess.PIPE)
    theirs = subprocess.Popen(["runqlat", "3600", "1"], stdout=subprocess.DEVNULL)
    time.sleep(3)
    least = least_of_rounds()
    for process in (ours, theirs):
        process.send_signal(signal.SIGINT)
    empty = json.loads(ours.communicate()[0])["cost"]["calibration_ns"]
    theirs.wait()
    print("ns a run, least of", ROUNDS, "rounds:", {name: round(ns, 1) for name, ns in least.items()}, "empty", empty)
    mine = least["runq_switch"] + least["runq_wakeup"] - 2 * empty
    runqlat = sum(ns for name, ns in least.items() if name in ("sched_switch", "sched_wakeup")) - 2 * empty
    print(f"wakeup and switch, net: ours {mine:.0f} ns, runqlat {runqlat:.0f} ns, ratio {mine / runqlat:.2f}")


if __name__ == "__main__":
    main()
