# SPDX-License-Identifier: GPL-2.0-only
"""Faults that take long to bring about, as guard_checks.py has the others. Runs inside a lab guest with two CPUs, with the
directory of test objects in $OBJECTS. The last line on stdout is JSON: a row for each fault."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import unittest

from fault_case import ROWS, SLICE, Disabled, FaultCase, Worker, foreign
from running import Running, make_cgroup, sched_ext, wait_for

CGROUPS = pathlib.Path("/sys/fs/cgroup")
CALLBACKS = ("select_cpu", "enqueue", "dispatch", "running", "stopping", "tick", "update_idle", "enable", "init_task", "cgroup_init",
             "cgroup_exit", "cgroup_set_weight")
NR_CGROUPS = 10000
NR_RELOADS = 30


class Churn(threading.Thread):
    """Forks, and cgroups that come, change and go, until it is ended."""

    def __init__(self):
        super().__init__(daemon=True)
        (CGROUPS / "cgroup.subtree_control").write_text("+cpu", encoding="ascii")
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            (CGROUPS / "churn").mkdir()
            (CGROUPS / "churn/cpu.weight").write_text("50", encoding="ascii")
            subprocess.run(["true"], check=True)
            (CGROUPS / "churn").rmdir()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.over.set()
        self.join(60)


class RareFaults(FaultCase):
    def budgets(self):
        done = subprocess.run(["punctual", "budget", "ls", "--json"], capture_output=True, text=True, check=True, timeout=120)
        return {row["cgroup"].rsplit("/", 1)[-1]: row["budget_ns"] // 1000 for row in json.loads(done.stdout)["budgets"]}

    def with_slice(self, *arguments):
        make_cgroup(SLICE)
        return self.guard("scx_latency", "--slice", f"{SLICE}=60us", *arguments)

    def pause_workers_for(self, seconds):
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for worker in self.workers:
                worker.process.send_signal(number)
            time.sleep(seconds if number == signal.SIGSTOP else 0)

    def assert_still_loaded(self, loads):
        self.assertEqual((sched_ext("state"), sched_ext("enable_seq")), ("enabled", loads))
        self.assertIn("punctual_guard_faults 0\n", self.metrics())

    def test_01_error_in_each_callback(self):
        took = {}
        for nr, callback in enumerate(CALLBACKS, 1):
            with Churn(), Running(foreign("error_in"), "--set", f"callback={nr}", "--state-dir", str(self.path(callback)),
                                  command="guard") as guard:
                guard.wait_enabled()
                if callback == "update_idle":
                    self.pause_workers_for(2)
                guard.wait_line(f"guard: error: .*fault in callback {nr} ")
                took[callback] = int(guard.wait_line(r"EEVDF runs; it took over within (\d+) ms")[1])
        self.row("error in each of " + ", ".join(CALLBACKS), "error: scx_bpf_error: fault in callback 1 and so on", max(took.values()))

    def test_02_stopped_guard_is_no_fault(self):
        with self.with_slice() as guard:
            guard.wait_enabled()
            loads = sched_ext("enable_seq")
            guard.send(signal.SIGSTOP)
            time.sleep(5)
            self.assertEqual([worker.is_lost() for worker in self.workers], [False, False])
            guard.send(signal.SIGCONT)
            time.sleep(2)
            self.assert_still_loaded(loads)
            self.row("SIGSTOP of the guard for 5 s", "nothing: the scheduler runs without it (systemd's watchdog ends the service)", "-")
            self.assertEqual(guard.stop(), 0)

    def test_03_guard_killed_for_want_of_memory(self):
        with self.with_slice() as guard:
            guard.wait_enabled()
            pathlib.Path(f"/proc/{guard.process.pid}/oom_score_adj").write_text("1000", encoding="ascii")
            disabled, killed_s = Disabled(), time.monotonic()
            pathlib.Path("/proc/sysrq-trigger").write_text("f", encoding="ascii")
            disabled.join(30)
            self.assertIsNotNone(disabled.at_s)
            self.assertEqual(guard.end(), -signal.SIGKILL)
        with self.with_slice() as guard:
            guard.wait_enabled()
            self.note("the kernel kills the guard for want of memory", guard,
                      "guard: the guard before this one ended without unloading", round(1000 * (disabled.at_s - killed_s)))
            self.assertEqual(self.budgets(), {SLICE: 60})
            self.assertEqual(guard.stop(), 0)

    def test_04_cgroup_of_a_budget_is_removed(self):
        with self.with_slice() as guard:
            guard.wait_enabled()
            loads = sched_ext("enable_seq")
            member = Worker(cgroup=SLICE)
            self.addCleanup(member.end)
            time.sleep(1)
            (CGROUPS / "cgroup.procs").write_text(str(member.process.pid), encoding="ascii")
            (CGROUPS / SLICE).rmdir()
            wait_for(lambda: not self.budgets(), "the budget's end")
            self.assertFalse(member.is_lost())
            self.assert_still_loaded(loads)
            self.row("the cgroup of a budget is removed", "nothing: its budget goes with it", "-")
            self.assertEqual(guard.stop(), 0)

    def test_05_many_cgroups(self):
        (CGROUPS / "cgroup.subtree_control").write_text("+cpu", encoding="ascii")
        many = [CGROUPS / "many" / str(nr) for nr in range(NR_CGROUPS)]
        make_cgroup("many")
        with self.with_slice() as guard:
            guard.wait_enabled()
            (CGROUPS / "many/cgroup.subtree_control").write_text("+cpu", encoding="ascii")
            loads = sched_ext("enable_seq")
            for path in many:
                path.mkdir()
            self.assert_still_loaded(loads)
            self.assertEqual(guard.stop(), 0)
        with self.with_slice() as guard:   # again, with all of them there
            guard.wait_enabled()
            disabled, killed_s = Disabled(), time.monotonic()
            guard.send(signal.SIGKILL)
            disabled.join(60)
            self.assertIsNotNone(disabled.at_s)
        with self.with_slice() as guard:
            guard.wait_enabled()
            self.note(f"kill -9 of the guard with {NR_CGROUPS:,} cgroups", guard, "guard: the guard before this one ended without unloading",
                      round(1000 * (disabled.at_s - killed_s)))
            self.assertEqual(guard.stop(), 0)
        for path in many:
            path.rmdir()

    def test_06_reloads_under_load(self):
        config = self.path("punctual.toml")
        make_cgroup(SLICE)
        os.makedirs("/var/lib/punctual", exist_ok=True)
        os.chmod(self.folder.name, 0o755)

        def write(budget_us, *more):
            config.write_text("\n".join(['scheduler = "scx_latency"', *more, "[budgets]", f'"{SLICE}" = "{budget_us}us"', ""]))

        write(60)
        with Churn(), Running("--config", self.folder.name, "--metrics", str(self.path("metrics")), command="guard") as guard:
            guard.wait_enabled()
            loads = sched_ext("enable_seq")
            for nr in range(NR_RELOADS):
                good = nr % 3 != 2
                write(61 + nr, *(() if good else ("nonsense = 1",)))
                done = subprocess.run(["punctual", "guard", "--reload"], capture_output=True, check=False, timeout=120)
                self.assertEqual(done.returncode, 0 if good else 2, done)
                self.assertEqual(self.budgets(), {SLICE: 61 + nr - (0 if good else 1)})
            self.assert_still_loaded(loads)
            self.row(f"{NR_RELOADS} reloads of the configuration under load, a third of them of a bad file",
                     guard.wait_line("guard: the new configuration was not taken.*").string.removeprefix("guard: ")
                     .replace(self.folder.name, "/etc/punctual"), "-")
            self.assertEqual(guard.stop(), 0)

    def test_07_second_guard(self):
        with self.with_slice() as guard:
            guard.wait_enabled()
            loads = sched_ext("enable_seq")
            second = self.punctual_guard("scx_simple")
            self.assertEqual(second.returncode, 1, second)
            self.assert_still_loaded(loads)
            self.assertEqual(self.budgets(), {SLICE: 60})
            self.row("a second guard is started", second.stderr.strip().replace(self.folder.name, "/var/lib/punctual"), "-")
            self.assertEqual(guard.stop(), 0)

    def test_08_real_time_task_holds_a_cpu(self):
        os.sched_setaffinity(self.workers[1].process.pid, {1})
        with self.with_slice("--timeout", "3s") as guard:
            guard.wait_enabled()
            hog = subprocess.Popen(["sh", "-c", "while :; do :; done"], preexec_fn=lambda: (
                os.sched_setaffinity(0, {1}), os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))))
            try:
                guard.wait_line("guard: stall: .*CPU 1 was held by .*real-time task")
            finally:
                hog.kill()
                hog.wait()
            self.note("a real-time task holds a CPU, watchdog at 3 s", guard, "guard: stall: ")
            self.assertEqual(guard.stop(), 0)


if __name__ == "__main__":
    ended = unittest.main(exit=False, verbosity=2)
    print(json.dumps(ROWS))
    sys.exit(0 if ended.result.wasSuccessful() else 1)
