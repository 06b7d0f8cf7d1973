# SPDX-License-Identifier: GPL-2.0-only
"""What `punctual run`, status and unload promise, on a real kernel. Runs inside a lab guest with two CPUs,
with the directory of test objects in $OBJECTS."""
import fcntl
import json
import os
import pty
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import unittest

from running import Quiet, Running, kernel_log, make_cgroup, sched_ext, wait_disabled, wait_for

OBJECTS = os.environ["OBJECTS"]
EJECTED, LACKING, USAGE, FAILED, INTERRUPTED = 5, 3, 2, 1, 130
NOBODY = 65534


def punctual(*arguments, user=None, nice=0):
    return subprocess.run(["punctual", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=120, user=user, preexec_fn=lambda: os.nice(nice))


def foreign(name):
    return f"{OBJECTS}/{name}.bpf.o"


def set_online(state):
    """Of CPU 1."""
    with open("/sys/devices/system/cpu/cpu1/online", "w", encoding="ascii") as file:
        file.write(state)


def status_json():
    return json.loads(punctual("status", "--json").stdout)


class Serving:
    """A `punctual serve` with short intervals."""
    PORT = 9766

    def __enter__(self):
        self.process = subprocess.Popen(["punctual", "serve", "--interval", "200ms"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True)
        said = self.process.stderr.readline()
        if "/metrics" not in said:
            raise AssertionError(said)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.process.stderr.close()

    def metrics(self):
        with socket.create_connection(("127.0.0.1", self.PORT), timeout=60) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def first_screen_of_top():
    """Its whole output until it was asked to quit, on a terminal that is wide enough for a line never to be cut."""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 240, 0, 0))
        os.execvpe("punctual", ["punctual", "top"], {**os.environ, "TERM": "xterm"})
    screen = b""
    with open(terminal, "r+b", buffering=0) as keys:
        while b"outliers dropped" not in screen:   # below the line of the scheduler
            screen += keys.read(65536)
        keys.write(b"q")
        try:
            while more := keys.read(65536):
                screen += more
        except OSError:   # the other side is closed
            pass
    _, status = os.waitpid(pid, 0)
    assert status == 0, screen
    return screen.decode(errors="replace")


# Starts threads until there may be no more.
MANY_THREADS = """
import threading, time
for _ in range(100):
    try:
        threading.Thread(target=time.sleep, args=[1]).start()
    except RuntimeError:
        print("limit")
"""


class Commands(Quiet):
    def test_scheduler_lives_for_the_run_of_the_command(self):
        ended = punctual("run", "scx_simple", "--", "cat", "/sys/kernel/sched_ext/state",
                         "/sys/kernel/sched_ext/root/ops")
        self.assertEqual(ended.returncode, 0, ended)
        self.assertRegex(ended.stdout, r"^enabled\nscx_simple")
        self.assertEqual(sched_ext("state"), "disabled")

    def test_exit_status_is_that_of_the_command(self):
        make_cgroup("vnf.slice")
        for sched in (["scx_latency", "--slice", "vnf.slice=60us"], ["scx_simple"], [foreign("foreign_fifo")]):
            self.assertEqual(punctual("run", *sched, "--", "true").returncode, 0)
            self.assertEqual(punctual("run", *sched, "--", "sh", "-c", "exit 37").returncode, 37)
        self.assertEqual(punctual("run", "scx_simple", "--", "sh", "-c", "kill -9 $$").returncode, 128 + 9)

    def test_loader_goes_before_others_and_the_command_does_not(self):
        script = "import os; print(*(os.getpriority(os.PRIO_PROCESS, pid) for pid in (0, os.getppid())))"
        ended = punctual("run", "scx_simple", "--", "python3", "-c", script, nice=5)
        self.assertEqual(ended.stdout, "5 -20\n", ended)

    def test_interrupted_command_is_ended_with_its_scheduler(self):
        with Running("scx_simple", "--", "sleep", "1000") as run:
            run.wait_enabled()
            run.send(signal.SIGINT)
            self.assertEqual(run.end(), INTERRUPTED)
        self.assertEqual(subprocess.run(["pidof", "sleep"], check=False, stdout=subprocess.DEVNULL).returncode, 1)

    def test_ejection_does_not_take_the_command_with_it(self):
        # It may be the service that all this is for.
        ended = punctual("run", foreign("error_on_enqueue"), "--set", "enqueues_max=50", "--", "sh", "-c",
                         "for i in 1 2 3 4 5 6 7 8; do sleep 0.5; done; cat /sys/kernel/sched_ext/state")
        self.assertEqual(ended.returncode, EJECTED, ended)
        self.assertEqual(ended.stdout, "disabled\n")


class Watching(Quiet):
    def test_line_on_load_says_what_runs_where(self):
        with Running("scx_latency", "--cpus", "1") as run:
            line = run.wait_line(r"punctual: scx_latency enabled on cpus 1 \(prog id (\d+), (\d+) tasks\)")
            ids = [program["id"] for program in status_json()["programs"] if program["name"] == "latency_enqueue"]
            self.assertEqual(ids, [int(line[1])])
            self.assertGreater(int(line[2]), 1)
            self.assertEqual(run.stop(), 0)

    def test_status_shows_growing_counters_and_waits_of_each_class(self):
        make_cgroup("vnf.slice")
        make_cgroup("deep/voice.slice")
        with Running("scx_latency", "--slice", "vnf.slice=60us", "--slice", "deep/voice.slice=5ms") as run:
            run.wait_enabled()
            first = self.status_under_load()
            second = self.status_under_load()
            self.assertEqual((first["scheduler"], first["serves_all"], first["enabled"]), (second["scheduler"], True, True))
            self.assertTrue(second["scheduler"].startswith("scx_latency"))
            for counter in ("enqueued", "dispatched", "budget_lookups"):
                self.assertGreaterEqual(second["counters"][counter], first["counters"][counter])
            self.assertGreater(second["counters"]["enqueued"], first["counters"]["enqueued"])
            classes = {row["cgroup"]: row for row in second["classes"]}
            self.assertEqual({name: row["budget_ns"] for name, row in classes.items()},
                             {"vnf.slice": 60_000, "deep/voice.slice": 5_000_000})
            vnf = classes["vnf.slice"]
            self.assertGreater(vnf["waits"], first["classes"][0]["waits"])
            self.assertGreater(vnf["wait_ns_sum"], 0)
            self.assertLessEqual(vnf["p50_ns"], vnf["p99_ns"])
            self.assertLessEqual(vnf["p99_ns"], vnf["max_ns"])
            self.assertGreater(vnf["p50_ns"], 0)
            text = punctual("status").stdout
            self.assertRegex(text, r"scheduler  scx_latency\S* \(serves all tasks\), loaded \d+ s ago")
            self.assertRegex(text, r"vnf.slice +60us +\d+")
            self.assertEqual(run.stop(), 0)

    @staticmethod
    def status_under_load():
        """Some wakeups in vnf.slice, beside a spinner, and then the status."""
        script = "for i in $(seq 100); do sleep 0.002; done"
        with subprocess.Popen(["sh", "-c", "while :; do :; done"]) as spinner:
            subprocess.run(["sh", "-c", f"echo 0 > /sys/fs/cgroup/vnf.slice/cgroup.procs; {script}"], check=True)
            spinner.kill()
        return status_json()

    @unittest.skipUnless(os.environ.get("CAN_SERVE"), "the host has no libmicrohttpd")
    def test_serve_tells_of_the_scheduler_and_its_budgets(self):
        make_cgroup("vnf.slice")
        with Serving() as served:
            self.assertIn("punctual_scheduler_enabled 0\n", served.metrics())
            with Running("scx_latency", "--slice", "vnf.slice=60us") as run:
                run.wait_enabled()
                wait_for(lambda: "punctual_scheduler_enabled 1\n" in served.metrics(), "the scheduler in the metrics")
                metrics = served.metrics()
                self.assertIn('punctual_scheduler_info{ops="scx_latency', metrics)
                self.assertIn('punctual_class_budget_seconds{cgroup="vnf.slice"} 6e-05\n', metrics)
                self.assertRegex(metrics, r'punctual_class_waits_total\{cgroup="vnf.slice"\} \d+\n')
                self.assertIn("punctual_runq_counted 1\n", metrics)
            wait_for(lambda: "punctual_scheduler_enabled 0\n" in served.metrics(), "its end in the metrics")
            self.assertNotIn("punctual_class", served.metrics())

    def test_status_without_a_scheduler(self):
        self.assertEqual(status_json()["enabled"], False)
        self.assertIn("no sched_ext scheduler is loaded", punctual("status").stdout)
        self.assert_refused(punctual("unload"), FAILED, "no scheduler is loaded")

    def test_foreign_object_runs_by_the_same_path(self):
        with Running(foreign("foreign_fifo"), "--set", "global_only=true") as run:
            run.wait_enabled()
            self.assertTrue(run.find("no ops.no_such_callback"))
            self.assertTrue(run.find("no ops.no_such_number"))
            self.assertFalse(run.find("left at 0"))
            status = status_json()
            self.assertTrue(status["scheduler"].startswith("foreign_fifo"))
            self.assertNotIn("counters", status)
            time.sleep(0.5)
            self.assertEqual(run.stop(), 0)
            self.assertTrue(run.find(r"ended: .*\(kind 64,"))


class Ending(Quiet):
    def test_signals_detach_cleanly(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for sched in ("scx_simple", "scx_latency"):
                with self.subTest(sched=sched, number=number), Running(sched) as run:
                    run.wait_enabled()
                    run.send(number)
                    self.assertEqual(run.end(), 0, run.lines)
                    self.assertEqual(sched_ext("state"), "disabled")
                    self.assertTrue(run.find(rf"{sched}\S* ended: .*\(kind 64,"), run.lines)

    def test_unload_from_outside_ends_the_loader_with_a_report(self):
        with Running("scx_latency") as run:
            run.wait_enabled()
            ended = punctual("unload")
            self.assertEqual(ended.returncode, 0, ended)
            self.assertEqual(sched_ext("state"), "disabled")
            self.assertEqual(run.end(), 0, run.lines)
            self.assertTrue(run.find(r"scx_latency\S* ended: .*\(kind 64,"), run.lines)

    def test_killed_loader_leaves_the_kernels_own_scheduler(self):
        for sched in ("scx_simple", "scx_latency", foreign("foreign_fifo")):
            with self.subTest(sched), Running(sched) as run:
                run.wait_enabled()
                run.send(signal.SIGKILL)
                wait_disabled(10)
                self.assertEqual(run.end(), -signal.SIGKILL)
                self.assertEqual(subprocess.run(["sh", "-c", "sleep 0.01; echo $((6 * 7))"], check=True,
                                                stdout=subprocess.PIPE).stdout, b"42\n")

    def test_sysrq_removes_any_scheduler(self):
        with Running("scx_latency") as run:
            run.wait_enabled()
            with open("/proc/sysrq-trigger", "w", encoding="ascii") as trigger:
                trigger.write("S")
            self.assertEqual(run.end(), 0, run.lines)
            self.assertTrue(run.find(r"\(kind 67,"), run.lines)

    def test_second_scheduler_is_told_which_one_is_active(self):
        with Running("scx_latency") as run:
            run.wait_enabled()
            self.assert_refused(punctual("run", "scx_simple", "--", "true"), FAILED, "scx_latency", "punctual unload")
            self.assertEqual(run.stop(), 0)

    def test_hotplug_reloads_with_the_same_options(self):
        make_cgroup("vnf.slice")
        with Running("scx_latency", "--slice", "vnf.slice=70us", "--set", "slice_ns=3ms") as run:
            run.wait_enabled()
            for nr, state in ((2, "0"), (3, "1")):
                set_online(state)
                run.wait_enabled(nr)
                self.assertEqual(sched_ext("state"), "enabled")
                self.assertEqual([row["budget_ns"] for row in status_json()["classes"]], [70_000])
            self.assertTrue(run.find(r"enabled on cpus 0 ", 1), run.lines)
            self.assertEqual(run.stop(), 0)

    def test_a_reload_that_is_refused_is_tried_again(self):
        with Running(foreign("needs_two_cpus")) as run:
            run.wait_enabled()
            set_online("0")
            run.wait_line("; trying again")
            set_online("1")
            run.wait_enabled(2)
            self.assertEqual(run.stop(), 0)

    def test_a_reload_is_tried_for_no_longer_than_that(self):
        self.addCleanup(set_online, "1")
        with Running(foreign("needs_two_cpus")) as run:
            run.wait_enabled()
            set_online("0")
            self.assertEqual(run.end(), EJECTED, run.lines)
            self.assertTrue(run.find("; trying again", 3), run.lines)
            self.assertFalse(run.find("; trying again", 4), run.lines)


class Ejections(Quiet):
    def test_fault_of_a_scheduler_is_reported_with_its_message_and_dump(self):
        with Running(foreign("error_on_enqueue"), "--set", "enqueues_max=200") as run:
            run.wait_enabled()
            self.assertEqual(run.end(), EJECTED, run.lines)
            self.assertTrue(run.find(r"error_on_enqueue\S* ended: .*\(kind 1025, .*fault after 2\d\d enqueues"), run.lines)
            dump = run.find(r"dump is in (\S+)")
            self.assertTrue(dump, run.lines)
            with open(dump[1], encoding="utf-8", errors="replace") as file:
                self.assertIn("CPU", file.read())

    def test_stall_is_found_by_the_watchdog(self):
        with Running(foreign("stalls"), "--timeout", "2s") as run:
            run.wait_enabled()
            self.assertEqual(run.end(), EJECTED, run.lines)
            self.assertTrue(run.find(r"\(kind 1026,"), run.lines)
        self.assertIn("was EJECTED (runnable task stall)", first_screen_of_top())
        with Running("scx_simple") as run:
            run.wait_enabled()
            self.assertNotIn("EJECTED", first_screen_of_top())
            self.assertEqual(run.stop(), 0)
        self.assertIn("scx_simple was unloaded (unregistered from user space)", first_screen_of_top())

    def test_forks_that_fail_at_a_limit_are_nobodys_end(self):
        # The kernel frees the state of a task whose fork fails then, see new_state() in bpf/latency_queue.bpf.h.
        limit = 40
        with Running("scx_latency") as run:
            run.wait_enabled()
            ended = subprocess.run(["python3", "-c", MANY_THREADS], user=NOBODY, capture_output=True, text=True, check=False,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit)))
            self.assertIn("limit", ended.stdout, ended)
            time.sleep(0.5)
            self.assertEqual(sched_ext("state"), "enabled", run.lines)
            self.assertEqual(run.stop(), 0)

    def test_failure_to_start_is_no_success(self):
        # The attach call itself succeeds.
        self.assert_refused(punctual("run", foreign("init_fails"), "--", "true"), EJECTED, "refused", "init")


class BadInput(Quiet):
    def test_mistakes_are_named_in_one_line(self):
        for arguments, code, words in (
                (["scx_nothing"], USAGE, ["scx_nothing", "scx_latency"]),
                (["/bin/busybox"], USAGE, ["not a BPF object"]),
                ([foreign("no_scheduler")], USAGE, ["no sched_ext scheduler"]),
                ([foreign("unknown_flags")], LACKING, ["0x10000000000"]),
                (["scx_latency", "--slice", "none.slice=60us"], USAGE, ["none.slice"]),
                (["scx_latency", "--slice", "vnf.slice=0"], USAGE, ["vnf.slice"]),
                (["scx_latency", "--slice", "vnf.slice=8760h"], USAGE, ["vnf.slice"]),
                (["scx_latency", "--slice", "vnf.slice=5us", "--slice", "vnf.slice=6us"], USAGE, ["two budgets"]),
                (["scx_simple", "--slice", "vnf.slice=5us"], USAGE, ["no latency budgets"]),
                (["scx_latency", "--cpus", "0-7"], USAGE, ["0-7"]),
                (["scx_latency", "--set", "slice_ms=1"], USAGE, ["slice_ms", "slice_ns"]),
                (["scx_latency", "--timeout", "1h"], USAGE, ["1h"]),
                ([foreign("foreign_fifo"), "--cpus", "0"], USAGE, ["--cpus"])):
            with self.subTest(arguments):
                make_cgroup("vnf.slice")
                self.assert_refused(punctual("run", *arguments, "--", "true"), code, *words)

    def test_without_root_the_remedy_is_named(self):
        self.assert_refused(punctual("run", "scx_simple", user=NOBODY), LACKING, "root")
        with Running("scx_simple") as run:
            run.wait_enabled()
            self.assert_refused(punctual("unload", user=NOBODY), LACKING, "root")
            self.assertEqual(run.stop(), 0)


class Afterwards(Quiet):
    def test_the_kernel_found_no_fault_of_its_own(self):
        bad = [line for line in kernel_log().splitlines() if re.search(r"BUG:|WARNING:|Oops|possible .* locking", line)]
        self.assertEqual(bad, [])


if __name__ == "__main__":
    wait_for(lambda: sched_ext("state") != "", "sched_ext in this kernel", 1)
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)
