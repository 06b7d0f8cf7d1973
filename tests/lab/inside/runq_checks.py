# SPDX-License-Identifier: GPL-2.0-only
"""What `punctual runq` counts, against the kernel's own accounts. Runs inside a lab guest.

Counts are exact. The emulating CPUs may be taken from the guest between the kernel's look at its clock and the
tracepoint: what the sums are is asked where time is virtual (runq_oracle.py).
"""
import json
import os
import signal
import subprocess
import sys
import time
import unittest

from running import WAIT_S, Running, make_cgroup, wait_for

ROOT = "/sys/fs/cgroup"
LACKING = 3   # the exit status

PING_PONG = """
import os, sys
rounds = int(sys.argv[1])
there, back = os.pipe(), os.pipe()
if os.fork() == 0:
    for _ in range(rounds):
        os.read(there[0], 1); os.write(back[1], b"x")
else:
    for _ in range(rounds):
        os.write(there[1], b"x"); os.read(back[0], 1)
for _ in range(200000):
    pass
os.write(1, f"{os.getpid()}\\n".encode())
os.read(0, 1)
"""

# Asked and answered through pipes: who asks is in another cgroup.
ECHO = """
import os
with open("/proc/self/schedstat") as file:
    os.write(1, file.read().encode())
while os.read(0, 1):
    os.write(1, b"x")
"""


THREADS = """
import os, sys, threading, time
threading.stack_size(65536)
for _ in range(int(sys.argv[1])):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
os.write(1, b"started\\n")
os.read(0, 1)
os._exit(0)
"""


def enter(group):
    write(f"{ROOT}/{group}/cgroup.procs", 0)


def write(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


def schedstat(pid):
    """(waits, ns that it waited)"""
    with open(f"/proc/{pid}/task/{pid}/schedstat", encoding="ascii") as file:
        _, wait_ns, nr = file.read().split()
    return int(nr), int(wait_ns)


class Runq:
    """`punctual runq` in the background: one window, from when it is ready to end()."""

    def __init__(self, *options, group=None):
        self.process = subprocess.Popen(["punctual", "runq", "1h", "--json", *options], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        preexec_fn=(lambda: enter(group)) if group else None)
        wait_for(lambda: self.process.poll() is not None or self.programs(), "the probes")
        time.sleep(1)   # until the first look, too

    def programs(self):
        """What is said of each BPF program that it has loaded."""
        return [info for info in self.fdinfo() if "prog_id" in info]

    def fdinfo(self):
        found = []
        for fd in os.listdir(f"/proc/{self.process.pid}/fdinfo"):
            try:
                with open(f"/proc/{self.process.pid}/fdinfo/{fd}", encoding="ascii") as file:
                    found.append(dict(line.split(":", 1) for line in file.read().splitlines() if ":" in line))
            except FileNotFoundError:
                pass
        return found

    def end(self):
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=WAIT_S)
        assert self.process.returncode == 0, err
        return json.loads(out)


def kernel_is_at_least(*version):
    return tuple(int(part) for part in os.uname().release.split(".")[:2]) >= version


needs_sched_ext = unittest.skipUnless(os.path.exists("/sys/kernel/sched_ext"), "a kernel without sched_ext")


class Tasks(unittest.TestCase):
    """Starts tasks whose waits are to be counted."""

    def start(self, code, *arguments, group=None):
        process = subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, preexec_fn=(lambda: enter(group)) if group else None)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def group(self, name):
        make_cgroup(name)
        self.addCleanup(lambda: os.path.isdir(f"{ROOT}/{name}") and os.rmdir(f"{ROOT}/{name}"))
        return os.stat(f"{ROOT}/{name}").st_ino

    def ping_pong(self, rounds):
        """Pids of two that have done with it and sleep, with their schedstat."""
        process = self.start(PING_PONG, rounds)
        pids = [int(process.stdout.readline()) for _ in range(2)]
        self.addCleanup(lambda: [os.kill(pid, signal.SIGKILL) for pid in pids if pid != process.pid])
        wait_for(lambda: all(state(pid) == "S" for pid in pids), "both asleep")
        return {pid: schedstat(pid) for pid in pids}


class Counts(Tasks):
    def assert_counts_as_the_kernel(self, scheduler=None):
        runq = Runq("--by", "task")
        expected = self.ping_pong(300)
        said = runq.end()
        self.assertEqual(said.get("scheduler", {}).get("name"), scheduler)
        self.assertEqual(said["losses"]["lost"], 0)
        self.assertEqual(said["losses"]["unseen_switches"], 0)
        tasks = {task["pid"]: task for task in said["tasks"]}
        for pid, (nr, wait_ns) in expected.items():
            print(f"  {pid}: {nr} waits, {wait_ns} ns; counted {tasks[pid]}", flush=True)
            self.assertEqual(schedstat(pid), (nr, wait_ns), "it ran again")
            self.assertEqual(tasks[pid]["count"], nr)
        self.assertNotIn(0, tasks)
        for histogram in (said["all"], *said["kinds"].values()):
            self.assertEqual(histogram["count"], sum(bucket["count"] for bucket in histogram["histogram"]))
        self.assertEqual(said["all"]["count"], sum(kind["count"] for kind in said["kinds"].values()))
        self.assertLess(said["all"]["max_ns"], 60e9)

    def test_counts_are_those_of_the_kernel(self):
        self.assert_counts_as_the_kernel()

    @needs_sched_ext
    def test_counts_are_those_of_the_kernel_under_scx_latency(self):
        with Running("scx_latency") as run:
            run.wait_enabled()
            self.assert_counts_as_the_kernel("scx_latency")
            self.assertEqual(run.stop(), 0)

    @needs_sched_ext
    def test_time_in_the_queue_of_scx_latency_is_told_from_the_switch(self):
        self.assert_queue_is_told_from_the_switch({0, 1})   # ops.dispatch takes the task out of the queue

    @needs_sched_ext
    def test_so_it_is_where_the_timer_takes_the_task_out_of_the_queue(self):
        self.assert_queue_is_told_from_the_switch({1})   # nobody has ever waited for more than one CPU

    def assert_queue_is_told_from_the_switch(self, mask):
        self.group("patient")
        os.sched_setaffinity(0, mask)   # inherited
        self.addCleanup(os.sched_setaffinity, 0, {0, 1})
        with Running("scx_latency", "--slice", "patient=5ms") as run:
            run.wait_enabled()
            runq = Runq()
            self.start("import os\nos.sched_setaffinity(0, {1})\nwhile True: pass")
            self.start("import os, time\nos.sched_setaffinity(0, {1})\nwhile True: time.sleep(0.002)", group="patient")
            time.sleep(3)
            said = runq.end()
            row, = said["scheduler"]["classes"]
            print(f"  {row}", flush=True)
            self.assertGreater(row["queue_ns_mean"], 1e6)   # the budget is used: the spinner is left alone for so long
            self.assertGreater(row["queue_ns_mean"], row["start_ns_mean"])
            self.assertEqual(run.stop(), 0)

    def test_filter_by_cgroup_looks_at_who_waits(self):
        self.group("victims")
        runq = Runq("-c", "victims", "--by", "task")
        echo = self.start(ECHO, group="victims")
        nr_before = int(echo.stdout.readline().split()[2])   # those before it moved itself, too
        for _ in range(100):   # woken by us, from another cgroup
            echo.stdin.write(b"x")
            echo.stdin.flush()
            echo.stdout.read(1)
        wait_for(lambda: state(echo.pid) == "S", "it asleep")
        nr, _ = schedstat(echo.pid)
        said = runq.end()
        self.assertEqual([task["pid"] for task in said["tasks"]], [echo.pid])
        print(f"  {nr} waits, counted {said['tasks'][0]['count']}", flush=True)
        self.assertGreater(said["tasks"][0]["count"], 50)   # woken while it still ran, it did not wait
        self.assertLessEqual(nr - nr_before, said["tasks"][0]["count"])
        self.assertLessEqual(said["tasks"][0]["count"], nr)
        self.assertEqual(said["all"]["count"], said["tasks"][0]["count"])

    def test_who_ran_meanwhile_is_named(self):
        victims, noisy = self.group("victims"), self.group("noisy")
        runq = Runq("-c", "victims", "--by", "cgroup", "--outliers")
        spinner = self.start("import os\nos.sched_setaffinity(0, {1})\nwhile True: pass", group="noisy")
        waiter = self.start("import os\nos.sched_setaffinity(0, {1})\nwhile True: pass", group="victims")
        time.sleep(2)
        spinner.kill()
        said = runq.end()
        ran_ns = {(row["victim_id"], row["culprit_id"]): row["ran_ns"] for row in said["culprits"]}
        rows = {row["id"]: row for row in said["cgroups"]}
        waits = rows[victims]
        self.assertEqual(rows[noisy]["path"], "/noisy")   # outside of the filter, and named all the same
        self.assertEqual(rows[noisy]["count"], 0)
        print(f"  {ran_ns}, of {waits['sum_ns']} ns; {len(said['outliers'])} outliers", flush=True)
        self.assertGreater(ran_ns[victims, noisy], waits["sum_ns"] / 2)
        # They are read one after the other, and waits end meanwhile.
        self.assertLess(sum(ns for (victim, _), ns in ran_ns.items() if victim == victims), 1.2 * waits["sum_ns"])
        blamed = [runner["pid"] for outlier in said["outliers"] if outlier["pid"] == waiter.pid
                  for runner in outlier["runners"]]
        self.assertIn(spinner.pid, blamed)

    def test_removed_cgroup_keeps_its_name(self):
        runq = Runq("--by", "cgroup")
        number = self.group("shortlived")   # made after the probes, gone before the first look
        process = self.start("pass", group="shortlived")
        process.wait()
        wait_for(lambda: removed(f"{ROOT}/shortlived"), "its removal")
        rows = {row["id"]: row for row in runq.end()["cgroups"]}
        self.assertEqual(rows[number]["path"], "/shortlived")
        self.assertTrue(rows[number]["removed"])
        self.assertGreater(rows[number]["count"], 0)

    def test_throttling_stands_beside_the_waits(self):
        write(f"{ROOT}/cgroup.subtree_control", "+cpu")
        number = self.group("limited")
        write(f"{ROOT}/limited/cpu.max", "5000 100000")
        runq = Runq("--by", "cgroup")
        self.start("while True: pass", group="limited")
        time.sleep(2)
        row = next(row for row in runq.end()["cgroups"] if row["id"] == number)
        print(f"  throttled {row['nr_throttled']} of {row['nr_periods']} periods, {row['throttled_ns']} ns", flush=True)
        self.assertGreater(row["nr_throttled"], 0)
        self.assertGreaterEqual(row["nr_periods"], row["nr_throttled"])
        self.assertGreater(row["throttled_ns"], 0)

    def assert_waiters_are_counted(self):
        """Six spinners on one CPU, in nested cgroups: five of them wait at any time."""
        outer, inner = self.group("outer"), self.group("outer/inner")
        self.assertNotEqual(outer, inner)
        spin = "import os\nos.sched_setaffinity(0, {1})\nwhile True: pass"
        spinners = [self.start(spin, group=group) for group in ("outer", "outer/inner") for _ in range(3)]
        runq = Runq("-c", "outer")
        time.sleep(1)
        still = runq.end()["open"]
        for spinner in spinners:
            spinner.kill()
            spinner.wait()
        self.assertIn(still["count"], (5, 6))   # 6 when we read it there ourselves
        self.assertIn(still["pid"], [spinner.pid for spinner in spinners])

    def test_those_who_wait_are_counted_in_nested_cgroups(self):
        self.assert_waiters_are_counted()

    @needs_sched_ext
    def test_those_who_wait_are_counted_under_sched_ext(self):
        with Running("scx_simple") as run:
            run.wait_enabled()
            self.assert_waiters_are_counted()
            self.assertEqual(run.stop(), 0)

    def test_each_wakeup_has_its_time_from_waking(self):
        runq = Runq("--waking")
        self.ping_pong(300)
        said = runq.end()
        wakeups = (said["kinds"]["wakeup"]["count"] + said["losses"]["wakeup_while_running"] +
                   said["losses"]["wakeup_while_queued"])
        waking = said["waking_to_wakeup"]
        print(f"  {wakeups} wakeups, {waking['count']} from waking on, {waking['sum_ns']} ns", flush=True)
        self.assertGreater(waking["count"], 300)   # who finds its byte there does not sleep
        self.assertLess(abs(waking["count"] - wakeups), 10)   # those across the edges of the window
        self.assertGreater(waking["sum_ns"], 0)

    @unittest.skipUnless(kernel_is_at_least(6, 4), "a kernel that would hang, see the next one")
    def test_events_that_could_not_be_counted_are_told(self):
        """A stamp is memory of the collector's cgroup. It has none left for those of the threads that start."""
        write(f"{ROOT}/cgroup.subtree_control", "+memory")
        self.group("poor")
        runq = Runq(group="poor")
        with open(f"{ROOT}/poor/memory.current", encoding="ascii") as file:
            write(f"{ROOT}/poor/memory.max", int(file.read()) + 65536)
        threads = self.start(THREADS, 2_000)
        threads.stdout.readline()
        write(f"{ROOT}/poor/memory.max", "max")
        self.assertGreater(runq.end()["losses"]["lost"], 0)

    @unittest.skipIf(kernel_is_at_least(6, 4), "a kernel that can be trusted with it")
    def test_memory_limit_that_would_hang_the_kernel_is_refused(self):
        write(f"{ROOT}/cgroup.subtree_control", "+memory")
        self.group("poor")
        write(f"{ROOT}/poor/memory.max", 1 << 28)
        ended = subprocess.run(["punctual", "runq", "100ms", "1"], preexec_fn=lambda: enter("poor"), capture_output=True,
                               text=True, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(ended.returncode, LACKING, ended)
        self.assertIn(f"{ROOT}/poor has one", ended.stderr)

    def test_wakeups_of_a_queued_task_do_not_restart_its_wait(self):
        """Two spinners on a CPU; the one that waits is continued by signal again and again."""
        runq = Runq("--by", "task")
        spin = "import os\nos.sched_setaffinity(0, {1})\nwhile True: pass"
        spinners = [self.start(spin) for _ in range(2)]
        time.sleep(1)
        until = time.monotonic() + 1
        while time.monotonic() < until:
            for spinner in spinners:
                spinner.send_signal(signal.SIGCONT)
        for spinner in spinners:
            spinner.send_signal(signal.SIGSTOP)
            wait_for(lambda: state(spinner.pid) == "T", "it stopped")
        expected = {spinner.pid: schedstat(spinner.pid) for spinner in spinners}
        tasks = {task["pid"]: task for task in runq.end()["tasks"]}
        for pid, (nr, wait_ns) in expected.items():
            print(f"  {pid}: {nr} waits, {wait_ns} ns; counted {tasks[pid]}", flush=True)
            # How a stop and a continue meet may make one wait of two; a wait that each signal restarts would be short.
            self.assertAlmostEqual(tasks[pid]["count"], nr, delta=2)
            self.assertGreater(tasks[pid]["sum_ns"], 0.9 * wait_ns)


class Outputs(unittest.TestCase):
    def test_losses_are_in_every_output(self):
        for options in ([], ["--by", "cpu"], ["--by", "cgroup"], ["--by", "task"], ["--waking", "--outliers", "--cost"]):
            out = subprocess.run(["punctual", "runq", "100ms", "1", *options], capture_output=True, text=True,
                                 check=True, stdin=subprocess.DEVNULL).stdout
            self.assertIn("lost 0, discarded ", out)
            self.assertIn("unknown start ", out)
        said = subprocess.run(["punctual", "runq", "100ms", "2", "--json", "--cost"], capture_output=True, text=True,
                              check=True, stdin=subprocess.DEVNULL).stdout.splitlines()
        self.assertEqual([json.loads(line)["window"] for line in said], [1, 2])
        self.assertEqual(json.loads(said[0])["losses"]["lost"], 0)
        self.assertGreater(json.loads(said[1])["cost"]["calibration_ns"], 0)

    def test_status_is_that_of_the_command(self):
        for options in ([], ["100ms", "1"]):   # the second ends before the command does
            ended = subprocess.run(["punctual", "runq", *options, "--json", "--", "sh", "-c", "sleep 0.5; exit 7"],
                                   capture_output=True, check=False, stdin=subprocess.DEVNULL)
            self.assertEqual(ended.returncode, 7)
            self.assertEqual(len(ended.stdout.splitlines()), 1)

    def test_statistics_are_off_again_after_a_kill(self):
        watched = Runq()
        self.addCleanup(watched.process.communicate)
        self.addCleanup(watched.process.kill)
        self.assertFalse(grows(watched), "on before anybody asked")
        asked = Runq("--cost")
        self.assertTrue(grows(watched))
        asked.process.kill()
        asked.process.communicate()
        wait_for(lambda: not grows(watched), "statistics off")


def runs_counted(runq):
    """Runs of its programs as BPF statistics count them."""
    return sum(int(info.get("run_cnt", 0)) for info in runq.programs())


def grows(runq):
    before = runs_counted(runq)
    time.sleep(0.3)   # with switches: our own
    return runs_counted(runq) > before


def state(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def removed(path):
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


if __name__ == "__main__":
    unittest.main(verbosity=2)
