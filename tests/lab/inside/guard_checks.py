# SPDX-License-Identifier: GPL-2.0-only
"""What `punctual guard` promises at each fault, on a real kernel. Runs inside a lab guest with two CPUs, with the directory
of test objects in $OBJECTS. The last line on stdout is JSON: a row for each fault."""
import ctypes
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from fault_case import ROWS, SLICE, Disabled, FaultCase, Worker, foreign
from running import Quiet, Running, make_cgroup, sched_ext, wait_disabled, wait_for

UNIT = os.environ["UNIT"]
FAILED, USAGE, LACKING = 1, 2, 3


def set_online(state):
    pathlib.Path("/sys/devices/system/cpu/cpu1/online").write_text(state, encoding="ascii")


class Faults(FaultCase):
    def test_01_killed_guard_leaves_eevdf_and_the_next_one_begins(self):
        with self.guard("scx_latency") as guard:
            guard.wait_enabled()
            disabled = Disabled()
            killed_s = time.monotonic()
            guard.send(signal.SIGKILL)
            disabled.join(30)
            self.assertIsNotNone(disabled.at_s)
        with self.guard("scx_latency") as guard:
            guard.wait_enabled()
            self.note("kill -9 of the guard", guard, "guard: the guard before this one ended without unloading",
                      round(1000 * (disabled.at_s - killed_s)))
            self.assertEqual(guard.stop(), 0)
            self.assertEqual(sched_ext("state"), "disabled")
            self.assertTrue(guard.find("EEVDF runs; it took over within"))

    def test_02_stall_is_named_and_kept(self):
        with self.guard(foreign("stalls"), "--timeout", "2s") as guard:
            # The guard stands still as well. Where that was before it saw the scheduler enabled, it was never loaded for it.
            line = guard.wait_line(r"guard: (stall: a task waited [0-9.]+ s for a CPU: |refused: .*stall).* \(fault 1 of 3\)")
            was_loaded = line[1].startswith("stall")
            self.note("stall, watchdog at 2 s", guard, line.re.pattern, None if was_loaded else "-")
            faults = sorted(self.path("faults").iterdir())
            text = faults[0].read_text(errors="replace")
            self.assertRegex(text, "cause: a task waited" if was_loaded else "cause: .*runnable task stall")
            if was_loaded:
                self.assertIn("CPU 1", text, "the kernel's dump is with it")
            self.assertEqual(guard.stop(), 0)

    def test_03_sysrq_is_a_person_and_is_not_undone(self):
        with self.guard("scx_simple") as guard:
            guard.wait_enabled()
            pathlib.Path("/proc/sysrq-trigger").write_text("S", encoding="ascii")
            self.note("sysrq-S", guard, "guard: sysrq: disabled by sysrq-S; staying on EEVDF")
            time.sleep(3)   # longer than the first back-off
            self.assertEqual(sched_ext("state"), "disabled")
            self.assertIn("punctual_guard_held 1\n", self.metrics())
            self.assertEqual(self.punctual_guard("--reset").returncode, 0)
            guard.wait_enabled(2)
            self.assertEqual(guard.stop(), 0)

    def test_04_third_fault_opens_the_breaker_until_a_person_says_so(self):
        faulty = [foreign("error_on_enqueue"), "--set", "enqueues_max=50"]
        hook = self.path("hook")
        command = f"""sh -c 'echo "$PUNCTUAL_EXIT_CLASS $PUNCTUAL_CAUSE" >>{hook}'"""
        with self.guard(*faulty, "--on-fallback", command) as guard:
            self.note("error in a callback", guard, r"guard: error: .*fault after \d+ enqueues.*\(fault 1 of 3\)")
            self.note("the third fault in ten minutes", guard, r"\(fault 3 in 10 minutes\); staying on EEVDF")
            wait_for(lambda: hook.read_text(encoding="ascii").count("\n") == 3, "three runs of the hook")
            self.assertRegex(hook.read_text(encoding="ascii"), r"^error scx_bpf_error.*: fault after \d+ enqueues\n")
            self.assertIn('punctual_scheduler_exits_total{reason="error"} 3\n', self.metrics())
            self.assertEqual(len(list(self.path("faults").iterdir())), 3)
            self.assertEqual(guard.stop(), 0)
        with self.guard("scx_simple") as guard:   # neither a restart nor another scheduler
            guard.wait_line("staying on EEVDF until")
            time.sleep(1)
            self.assertEqual(sched_ext("state"), "disabled")
            self.assertEqual(guard.stop(), 0)
        self.assertEqual(self.punctual_guard("--reset").returncode, 0)
        with self.guard("scx_simple") as guard:
            guard.wait_enabled()
            self.assertEqual(guard.stop(), 0)

    def test_05_foreign_scheduler_is_named_and_left_alone(self):
        with Running(foreign("foreign_fifo")) as other:
            other.wait_enabled()
            with self.guard("scx_simple") as guard:
                self.note("somebody else's scheduler is loaded", guard, "somebody else loaded scheduler .*fifo", "-")
                self.assertEqual(guard.stop(), 0)
            self.assertEqual(sched_ext("state"), "enabled")
            self.assertRegex(sched_ext("root/ops"), "fifo")
            self.assertEqual(other.stop(), 0)

    def test_06_hotplug_is_a_reload(self):
        with self.guard("scx_simple") as guard:
            guard.wait_enabled()
            set_online("0")
            try:
                guard.wait_enabled(2)
            finally:
                set_online("1")
            guard.wait_enabled(3)
            self.note("a CPU goes and comes back", guard, "guard: hotplug: .*cpu 1 going offline.*; loading again at once")
            self.assertIn("punctual_guard_faults 0\n", self.metrics())
            self.assertEqual(guard.stop(), 0)

    def test_07_broken_rules_warn_and_fall_back(self):
        make_cgroup(SLICE)
        self.workers.append(Worker("while :; do sleep 0.01; done", SLICE))
        with self.guard("scx_latency", "--slice", f"{SLICE}=60us", "--slo", "normal < 100%",
                        "--slo", f"p50({SLICE}) > 1us for 2s then fallback", "--slo", f"p99({SLICE}) > 1h then fallback") as guard:
            guard.wait_line(r'guard: rule "normal < 100%" is broken: \d')
            self.assertEqual(sched_ext("state"), "enabled")
            self.note("a rule of the operator is broken", guard, r'guard: rule "p50.*is broken: [0-9.]+[mu]s \(fault 1 of 3\)')
            self.assertEqual(guard.stop(), 0)

    def test_08_full_disk_harms_nothing(self):
        libc = ctypes.CDLL(None, use_errno=True)
        folder = self.folder.name.encode()
        self.assertEqual(libc.mount(b"tmpfs", folder, b"tmpfs", 0, b"size=64k"), 0, os.strerror(ctypes.get_errno()))
        try:
            self.path("guard.lock").touch()
            with open(self.path("full"), "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"x" * 4096)
                except OSError:
                    pass
            with Running(foreign("error_on_enqueue"), "--set", "enqueues_max=50", "--state-dir", self.folder.name,
                         command="guard") as guard:
                guard.wait_line("guard: .*guard.json.*; going on")
                self.note("error, and the disk is full", guard, r"guard: error: .*\(fault 1 of 3\)")
                guard.wait_enabled(2)   # all the same
                self.assertEqual(guard.stop(), 0)
        finally:
            libc.umount(folder)

    def test_09_mistakes_are_refused_by_name(self):
        for arguments, word in ((["scx_simple", "--slo", "p98(a) > 1us"], "position 1"), (["scx_nothing"], "scx_nothing"),
                                (["scx_simple", "--on-fallback", "a 'b"], "position 3"), ([], "--reset"),
                                (["scx_simple", "--slo", "p99(none.slice) > 1us"], "none.slice")):
            self.assert_refused(self.punctual_guard(*arguments), USAGE, word)
        with self.guard("scx_simple") as guard:
            guard.wait_enabled()
            self.assert_refused(self.punctual_guard("scx_simple"), FAILED, "another guard runs")
            self.assertEqual(guard.stop(), 0)
        self.path("guard.json").write_text("{", encoding="ascii")
        self.assert_refused(self.punctual_guard("scx_simple"), FAILED, "guard.json", "remove it")


class Systemd:
    """The other end of a NOTIFY_SOCKET, with a watchdog of two seconds: what the service said, a message each."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.said = []
        os.environ.update(NOTIFY_SOCKET=str(path), WATCHDOG_USEC="2000000")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            self.said.append(self.socket.recv(4096).decode())

    def count(self, pattern):
        return sum(bool(re.search(pattern, message, re.MULTILINE)) for message in list(self.said))

    def wait(self, pattern, nr=1):
        wait_for(lambda: self.count(pattern) >= nr, f"{nr} x {pattern} to systemd, which heard {self.said}")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]


def capabilities_of_unit():
    """Numbers of the capabilities that the unit leaves to the service."""
    numbers = {"DAC_READ_SEARCH": 2, "SYS_ADMIN": 21, "SYS_NICE": 23, "SYSLOG": 34, "PERFMON": 38, "BPF": 39}
    line = re.search(r"^CapabilityBoundingSet=(.*)$", pathlib.Path(UNIT).read_text(encoding="ascii"), re.MULTILINE)[1]
    return {numbers[name.removeprefix("CAP_")] for name in line.split()}


def drop_others(kept):
    """For a child that execs: root gets what the bounding set leaves."""
    libc = ctypes.CDLL(None)
    for number in range(64):
        if number not in kept:
            libc.prctl(24, number, 0, 0, 0)   # PR_CAPBSET_DROP


class Service(Quiet):
    """The guard as a service: configuration, reload, control socket, systemd."""

    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory()
        os.chmod(self.folder.name, 0o755)
        os.makedirs("/var/lib/punctual", exist_ok=True)
        self.config = pathlib.Path(self.folder.name, "punctual.toml")
        self.workers = [Worker(), Worker()]
        for name in (SLICE, "other.slice"):
            make_cgroup(name)

    def tearDown(self):
        for worker in self.workers:
            worker.end()
        super().tearDown()
        self.folder.cleanup()

    def write(self, *lines):
        self.config.write_text("\n".join(lines) + "\n", encoding="ascii")

    def command(self, *arguments, user=0, groups=()):
        return subprocess.run(["punctual", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              timeout=120, cwd="/", user=user, group=user, extra_groups=groups)

    def done(self, *arguments, **who):
        ended = self.command(*arguments, **who)
        self.assertEqual(ended.returncode, 0, ended)
        return ended

    def budgets(self, **who):
        rows = json.loads(self.done("budget", "ls", "--json", **who).stdout)["budgets"]
        return {row["cgroup"].rsplit("/", 1)[-1]: row["budget_ns"] // 1000 for row in rows}

    def guard(self, *arguments):
        return Running("--config", self.folder.name, *arguments, command="guard")

    def test_11_reload_changes_what_it_can_in_place_and_a_bad_one_nothing(self):
        plain = ('scheduler = "scx_latency"', 'timeout = "20s"')
        self.write(*plain, "[budgets]", f'"{SLICE}" = "60us"', '"late.slice" = "80us"')
        with Systemd(pathlib.Path(self.folder.name, "notify")) as systemd, self.guard() as guard:
            guard.wait_enabled()
            systemd.wait("^READY=1")
            loads = sched_ext("enable_seq")

            self.write(*plain, "[budgets]", f'"{SLICE}" = "50us"', '"late.slice" = "80us"')
            guard.send(signal.SIGHUP)
            guard.wait_line(f"guard: new configuration: budget of {SLICE} 50us$")
            systemd.wait(r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
            systemd.wait("^READY=1", 2)
            self.assertEqual(self.budgets(), {SLICE: 50})
            self.done("budget", "set", "other.slice", "70us")

            self.write(*plain, 'floor = "90%"')
            guard.send(signal.SIGHUP)
            guard.wait_line("guard: the new configuration was not taken, the one before holds: .*punctual.toml:3: floor: ")
            self.assert_refused(self.command("guard", "--reload"), USAGE, "punctual.toml:3: floor: ")
            self.assertIn("punctual.toml:3: floor", json.loads(self.done("status", "--json").stdout)["guard"]["config_error"])
            self.assertIn("was not taken", self.done("status").stdout)
            self.assertEqual(self.budgets(), {SLICE: 50, "other.slice": 70})
            self.assertEqual(sched_ext("enable_seq"), loads)

            make_cgroup("late.slice")
            guard.wait_line("guard: budget of late.slice: 80us")
            self.assertEqual(self.budgets()["late.slice"], 80)

            self.write(*plain, 'floor = "20%"', "[budgets]", f'"{SLICE}" = "50us"', '"late.slice" = "80us"')
            self.assertIn("floor_percent=20: loading again", self.done("guard", "--reload").stderr)
            guard.wait_enabled(2)
            wait_for(lambda: json.loads(self.done("status", "--json").stdout)["guard"]["phase"] == "running", "running")
            status = json.loads(self.done("status", "--json").stdout)["guard"]
            self.assertEqual((status["faults"], status["config_error"]), (0, ""))
            self.assertEqual(self.budgets(), {SLICE: 50, "other.slice": 70, "late.slice": 80})   # also what a person set

            # What passes the check and not the kernel: the configuration before is loaded again.
            self.write(f'scheduler = "{foreign("init_fails")}"')
            self.done("guard", "--reload")
            guard.wait_line("guard: the new configuration was not taken, the one before holds: refused: ")
            guard.wait_enabled(3)
            self.assertIn(SLICE, self.budgets())
            self.assertEqual([worker.is_lost() for worker in self.workers], [False, False])
            systemd.wait("^WATCHDOG=1", 4)
            self.assertEqual(guard.stop(), 0)
            systemd.wait("^STOPPING=1")

    def test_12_group_may_control_and_nobody_else(self):
        with open("/etc/group", "a", encoding="ascii") as file:
            file.write("punctual:x:900:\n")
        self.write('scheduler = "scx_latency"')
        stranger, member = {"user": 1000, "groups": (1001,)}, {"user": 1000, "groups": (900,)}
        with self.guard() as guard:
            guard.wait_enabled()
            for arguments in (["budget", "set", SLICE, "60us"], ["unload"], ["guard", "--reset"], ["guard", "--reload"]):
                self.assert_refused(self.command(*arguments, **stranger), LACKING, "group punctual")
            self.assertEqual(self.budgets(), {})
            self.done("budget", "set", SLICE, "60us", **member)
            self.assertEqual(self.budgets(**member), {SLICE: 60})
            self.assertIn(SLICE, self.done("status", **member).stdout)
            self.assert_refused(self.command("budget", "set", "none.slice", "60us", **member), USAGE, "none.slice")
            self.done("budget", "clear", SLICE, **member)
            self.assertEqual(self.budgets(), {})
            # Clients that say nothing keep nobody out for long, and the guard goes on.
            silent = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(8)]
            for client in silent:
                client.connect("/run/punctual/control")
            wait_for(lambda: self.command("status", **member).returncode == 0, "a place among the clients")
            for client in silent:
                client.close()
            self.done("unload", **member)
            guard.wait_line("guard: asked_for: .*; staying on EEVDF")
            self.assertEqual(sched_ext("state"), "disabled")
            self.done("guard", "--reset", **member)
            guard.wait_enabled(2)
            self.assertEqual(guard.stop(), 0)

    def test_13_capabilities_of_the_unit_are_enough(self):
        kept = capabilities_of_unit()
        busy = Worker(cgroup=SLICE)   # so that normal tasks have less than all
        self.addCleanup(busy.end)
        self.write('scheduler = "scx_latency"', "[budgets]", f'"{SLICE}" = "60us"', "[guard]", 'slo = ["normal < 100%"]')
        for only in ((), ("--only", "--cpus", "1")):
            with Running("--config", self.folder.name, *only, command="guard", preexec_fn=lambda: drop_others(kept)) as guard:
                guard.wait_enabled()
                status = pathlib.Path(f"/proc/{guard.process.pid}/status").read_text(encoding="ascii")
                self.assertEqual(int(re.search(r"CapEff:\s*(\w+)", status)[1], 16), sum(1 << number for number in kept))
                self.assertEqual(os.getpriority(os.PRIO_PROCESS, guard.process.pid), -20)
                guard.wait_line('guard: rule "normal < 100%" is broken')   # which reads counters and finds cgroups by id
                self.assertEqual(self.budgets(), {SLICE: 60})
                self.assertEqual(guard.stop(), 0)
                self.assertEqual([line for line in guard.lines if "not permitted" in line.lower()], [])

    def test_14_what_a_killed_guard_left_is_undone(self):
        self.write('scheduler = "scx_latency"', "only = true", 'cpus = "1"', "[budgets]", f'"{SLICE}" = "60us"')
        with self.guard() as guard:
            guard.wait_enabled()
            self.assertTrue(pathlib.Path(f"/sys/fs/cgroup/{SLICE}/cpuset.cpus.exclusive").read_text(encoding="ascii").strip())
            self.assert_refused(self.command("guard", "--clean-up"), FAILED, "another guard runs")
            guard.send(signal.SIGKILL)
            guard.end()
            wait_disabled()
            self.done("guard", "--clean-up")
            self.assertEqual(pathlib.Path(f"/sys/fs/cgroup/{SLICE}/cpuset.cpus.exclusive").read_text(encoding="ascii").strip(), "")
        with Running(foreign("foreign_fifo")) as other:   # of somebody else: left alone
            other.wait_enabled()
            self.done("guard", "--clean-up")
            self.assertEqual(sched_ext("state"), "enabled")
            self.assertEqual(other.stop(), 0)


if __name__ == "__main__":
    ended = unittest.main(exit=False, verbosity=2)
    print(json.dumps(ROWS))
    sys.exit(0 if ended.result.wasSuccessful() else 1)
