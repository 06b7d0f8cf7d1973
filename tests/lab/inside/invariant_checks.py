# SPDX-License-Identifier: GPL-2.0-only
"""Invariants of scx_latency on a real kernel, each named as in docs/testing.md. Runs inside a lab guest: those that
need two CPUs, I1 and I13.test_hotplugged, in wall time, the others in virtual time on one. $OBJECTS is the directory of
test objects; $LATE, $PACKETS and $SHARES are programs; $SCHEDULER is an object to try instead of the built-in scx_latency."""
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import time
import unittest

from idle_trace import Trace, idle_while_waiting
from policy_checks import FLOOR, NORMAL, Load, classes, running, smallest_share
from running import Quiet, Running, make_cgroup, ran_ns, sched_ext, wait_disabled, wait_for

OBJECTS = os.environ["OBJECTS"]
EJECTED = 5
LOAD_S = 600   # to load a scheduler beside others takes seconds, on a busy host minutes
BUCKET = 1.125   # of the histogram of waits
GRAIN_NS = 200_000
RESERVE_NS = 18_000   # where the measured one begins, and the switch


def setUpModule():
    for group in ("tight.slice", "vnf.slice", "loose.slice", NORMAL):
        make_cgroup(group)


class I3(Quiet):
    def test_longest_wait_of_an_admitted_class_is_bounded(self):
        with Load() as load:
            load.start_spinners(2)
            section_ns = int(subprocess.run([os.environ["LATE"], "20000"], capture_output=True, check=True).stdout)
        for runaway in (None, "loose.slice"):
            with self.subTest(runaway=runaway), Load() as load, running() as run:
                run.wait_enabled()
                load.start_spinners(2)
                if runaway:
                    load.start(runaway, 0, 10_000)
                packets = load.start("vnf.slice", 20_000, 2_500)
                time.sleep(1)
                packets.kill()   # so that nothing below counts
                row = classes()["vnf.slice"]
                self.assertEqual(run.stop(), 0, run.lines)
                bound_ns = row["budget_ns"] + RESERVE_NS + GRAIN_NS + section_ns
                print(f"  I3, runaway in {runaway}: {row['waits']} waits, longest {row['max_ns'] / 1e3:.1f} us, section "
                      f"{section_ns / 1e3:.1f} us, bound {bound_ns / 1e3:.1f} us", flush=True)
                self.assertGreater(row["waits"], 100)
                self.assertLessEqual(row["max_ns"], bound_ns)


class I4(Quiet):
    """One that never sleeps, against one of the same class that asks for no more than the cap."""

    CAP = 0.30

    def waits_beside(self, rate, work_ns):
        """The classes, and the share of the CPU that the capped one got."""
        with Load() as load, running("--cap", f"vnf.slice={self.CAP:.0%}") as run:
            run.wait_enabled()
            load.start("tight.slice", 5_000, 3_000)
            load.start("loose.slice", 1_000, 20_000)
            load.start_spinners(2)
            capped = load.start("vnf.slice", rate, work_ns)
            time.sleep(0.1)
            before, began = ran_ns(capped.pid), time.monotonic_ns()
            time.sleep(1.5)
            share = (ran_ns(capped.pid) - before) / (time.monotonic_ns() - began)
            rows = classes()
            self.assertEqual(run.stop(), 0, run.lines)
        for name in ("tight.slice", "loose.slice"):
            print(f"  I4, vnf.slice uses {100 * share:.1f} %: {name} p50 {rows[name]['p50_ns'] / 1e3:.1f} "
                  f"p99 {rows[name]['p99_ns'] / 1e3:.1f} p99.9 {rows[name]['p999_ns'] / 1e3:.1f} us", flush=True)
        return rows, share

    def test_class_over_its_cap_moves_no_other_class(self):
        modest, _ = self.waits_beside(10, 24_000_000)
        runaway, share = self.waits_beside(0, 10_000)
        self.assertLessEqual(share, self.CAP + (1 - self.CAP) / 3)
        for name in ("tight.slice", "loose.slice"):
            self.assertLessEqual(runaway[name]["p99_ns"], modest[name]["p99_ns"] * BUCKET, name)


class I5(Quiet):
    def test_floor_holds_in_every_window_against_100_budgeted_spinners(self):
        # So that this process gets on; those it starts are ordinary.
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        try:
            with Load() as load, running() as run:
                run.wait_enabled()
                spinners = load.start_spinners(2)
                load.start("vnf.slice", 0, 10_000, copies=100)
                wait_for(lambda: tasks_of("vnf.slice") == 100, "100 spinners")
                worst = smallest_share([*spinners, run.process], 2)   # the loader is a normal task too
                self.assertEqual(run.stop(), 0, run.lines)
        finally:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        print(f"  I5: normal tasks at least {100 * worst:.2f} % in the worst of 20 windows", flush=True)
        self.assertGreaterEqual(worst, FLOOR)


    def test_floor_holds_for_one_or_two_normal_tasks_beside_a_runaway(self):
        for nr_normal in (1, 2):
            with self.subTest(nr_normal=nr_normal), Load() as load, running() as run:
                run.wait_enabled()
                normal = load.start_spinners(nr_normal)
                load.start("vnf.slice", 0, 10_000)
                time.sleep(0.1)
                before, began = floor_preemptions(), time.monotonic()
                worst = smallest_share(normal, 1)
                rate = (floor_preemptions() - before) / (time.monotonic() - began)
                self.assertEqual(run.stop(), 0, run.lines)
                print(f"  I5, {nr_normal} normal beside a runaway: {100 * worst:.1f} % in the worst window, preempted "
                      f"{rate:.0f} times a second for it", flush=True)
                self.assertGreaterEqual(worst, FLOOR)


def floor_preemptions():
    status = subprocess.run(["punctual", "status", "--json"], capture_output=True, check=True)
    return json.loads(status.stdout)["counters"]["preempted_by_floor"]


def tasks_of(group):
    with open(f"/sys/fs/cgroup/{group}/cgroup.procs", encoding="ascii") as file:
        return len(file.read().split())


class I1(Quiet):
    """EEVDF on the same machine is the measure: a CPU takes its time to leave idle whoever decides."""

    NOISE = 0.02

    def idled(self, spinners):
        """Share of the time in which a CPU idled although a task allowed there waited, and the longest us at once."""
        with Load() as load:
            both = os.sched_getaffinity(0)
            allowed = {process.pid: both for process in load.start_spinners(spinners)}
            for nr, mask in enumerate((both, both, {0}, {1})):
                # Little work: CPUs must go idle, on a slow host too.
                process = load.start("vnf.slice" if nr % 2 else NORMAL, 700 + 300 * nr, 30_000)
                os.sched_setaffinity(process.pid, mask)
                allowed[process.pid] = mask
            time.sleep(0.2)
            with Trace() as trace:
                time.sleep(0.5)
            lengths, traced_us = idle_while_waiting(trace.events(), allowed)
        self.assertGreater(traced_us, 300_000)
        return sum(lengths) / traced_us, max(lengths, default=0)

    def test_no_cpu_idles_while_a_task_that_it_may_run_waits(self):
        for spinners in (3, 1, 0):
            eevdf, eevdf_us = self.idled(spinners)
            with running() as run:
                run.wait_enabled(wait_s=LOAD_S)
                ours, ours_us = self.idled(spinners)
                self.assertEqual(run.stop(), 0, run.lines)
            print(f"  I1, {spinners} spinners and 4 sleepers: a CPU idled {100 * ours:.3f} % of the time, at most "
                  f"{ours_us} us at once; EEVDF {100 * eevdf:.3f} %, {eevdf_us} us", flush=True)
            self.assertLessEqual(ours, 1.5 * eevdf + self.NOISE)


class I7(Quiet):
    def test_whom_a_real_time_thread_preempts_is_not_passed(self):
        """The kernel puts him on the CPU's own queue, where others come in front."""
        with Load() as load, running() as run:
            run.wait_enabled()
            spinners = [load.start("vnf.slice", 0, 10_000) for _ in range(3)]
            load.start(NORMAL, 5_000, 20_000, prepare=lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
            time.sleep(1)
            before_ns = [ran_ns(process.pid) for process in spinners]
            time.sleep(1)
            shares = [(ran_ns(process.pid) - ns) / 1e9 for process, ns in zip(spinners, before_ns)]
            self.assertEqual(run.stop(), 0, run.lines)
        print("  I7: of a CPU each got", ", ".join(f"{100 * share:.1f} %" for share in shares), flush=True)
        self.assertGreaterEqual(min(shares), 0.9 * max(shares))


class Workers:
    """Tasks with attributes of their own that count their turns."""

    KINDS = {"sleeper": None, "nice": lambda: os.setpriority(os.PRIO_PROCESS, 0, 3),
             "batch": lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)),
             "pinned": lambda: os.sched_setaffinity(0, {0}),
             "budgeted": lambda: enter("vnf.slice"), "spinner": None}

    def __init__(self):
        self.turns = mmap.mmap(-1, mmap.PAGESIZE)
        self.pids = {}

    def __enter__(self):
        for slot, (name, prepare) in enumerate(self.KINDS.items()):
            pid = os.fork()
            if pid == 0:
                self._work(name, prepare, slot)
            self.pids[name] = pid
        wait_for(lambda: all(self.counts()), "all workers to begin")
        return self

    def __exit__(self, *unused):
        for pid in self.pids.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _work(self, name, prepare, slot):
        try:
            if prepare:
                prepare()
            while True:
                self.turns[slot * 8:slot * 8 + 8] = struct.pack("q", self.counts()[slot] + 1)
                if name == "spinner":
                    sum(range(1000))
                else:
                    time.sleep(0.001)
        finally:
            os._exit(1)

    def counts(self):
        return struct.unpack_from(f"{len(self.KINDS)}q", self.turns)

    def attributes(self):
        return {name: (os.getpriority(os.PRIO_PROCESS, pid), os.sched_getscheduler(pid), os.sched_getaffinity(pid))
                for name, pid in self.pids.items()}


def enter(group):
    with open(f"/sys/fs/cgroup/{group}/cgroup.procs", "w", encoding="ascii") as file:
        file.write("0")


def served_by_sched_ext():
    """All threads of the machine that still are, as the kernel tells it of each."""
    left = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/sched", encoding="ascii", errors="replace") as file:
                lines = file.read().splitlines()
        except OSError:   # it has ended
            continue
        if any(line.startswith("ext.enabled") and line.split()[-1] != "0" for line in lines):
            left.append(lines[0])
    return left


class I13(Quiet):
    """Whatever ends a scheduler: every task is back on EEVDF, in time, as it was, and gets on."""

    WATCHDOG_S = 2

    def fall_back(self, scheduler, fault, status, options=()):
        """fault(run) returns when it struck; None: at some time after the loader was started."""
        with Workers() as workers:
            before, began = workers.attributes(), time.monotonic()
            with Running(*scheduler, "--timeout", f"{self.WATCHDOG_S}s", *options) as run:
                run.wait_enabled(wait_s=LOAD_S)
                began = fault(run) or began
                wait_disabled()
                took_s = time.monotonic() - began
                self.assertEqual(served_by_sched_ext(), [])
                counts = workers.counts()
                wait_for(lambda: all(now > then for now, then in zip(workers.counts(), counts)), "all workers to get on")
                self.assertEqual(workers.attributes(), before)
                self.assertEqual(run.end(), status, run.lines)
        print(f"  I13, {self.id().rsplit('_', maxsplit=1)[-1]}: EEVDF after {took_s:.2f} s", flush=True)
        return took_s

    def foreign(self, name):
        return [f"{OBJECTS}/{name}.bpf.o"]

    def latency(self):
        return ["scx_latency", "--slice", "vnf.slice=1ms"]

    def test_killed(self):
        def kill(run):
            self.assertNotEqual(served_by_sched_ext(), [])   # else the check above proves nothing
            run.send(signal.SIGKILL)
            return time.monotonic()
        self.fall_back(self.latency(), kill, -signal.SIGKILL)

    def test_stalled(self):
        took_s = self.fall_back(self.foreign("stalls"), lambda run: None, EJECTED)
        # Nobody is there to see when it was enabled. The kernel looks every second, and to load it takes two.
        self.assertLessEqual(took_s, 2 * self.WATCHDOG_S + 2)

    def test_failing(self):
        self.fall_back(self.foreign("error_on_enqueue"), lambda run: None, EJECTED, ("--set", "enqueues_max=200"))

    def test_hotplugged(self):
        """The loader brings it back; in between, and when it is stopped, nothing is lost."""
        def unplug_and_stop(run):
            for nr, state in ((2, "0"), (3, "1")):
                with open("/sys/devices/system/cpu/cpu1/online", "w", encoding="ascii") as file:
                    file.write(state)
                run.wait_enabled(nr, LOAD_S)
                self.assertTrue(run.find(r"\(kind 66,", nr - 1), run.lines)
            run.send(signal.SIGTERM)
            return time.monotonic()
        self.fall_back(self.latency(), unplug_and_stop, 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)
