# SPDX-License-Identifier: GPL-2.0-only
"""The service as `cmake --install` puts it on a machine, under a real systemd. Runs as root in a Debian root of the lab, one test
after the other: each goes on where the one before ended. The last line on stdout is JSON: a row for each check."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.request

from running import WAIT_S, sched_ext, wait_for

UNIT = "punctual.service"
SERVE_UNITS = ("punctual-serve.service", "punctual-serve.socket")
CONFIG = pathlib.Path("/etc/punctual/punctual.toml")
EXAMPLE = "/usr/share/doc/punctual/examples/punctual.toml"
ALERTS = "MESSAGE_ID=5b6c8e0c1f2d4a9f8f0f7a3e1d9b4c62"   # of all alerts of the guard
SLICE = "vnf.slice"
GROUP = "punctual"
EXPOSURE_MAX = 4.0   # of 10
WATCHDOG_S = 60      # WatchdogSec= of the unit
OTHER, EXT = 0, 7    # scheduling policies
# What a service says when its sandbox is too narrow for it.
NARROW = r"(?i)not permitted|denied|read-only|cannot |no such file|core-dump"
MEANT = rf"{CONFIG}:5: |its budget cannot be kept: "   # the mistake of a test; the truth about a slow guest
ROWS = []


def run(*command, status=0):
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=240)
    if status is not None and ended.returncode != status:
        raise AssertionError(f"{ended}\n{journal()}")
    return ended


def journal(*matches, output="short-monotonic"):
    subprocess.run(["journalctl", "--sync"], check=True, timeout=60)
    wanted = matches or ("--unit", UNIT)
    return subprocess.run(["journalctl", "--no-pager", "--quiet", "--boot", f"--output={output}", *wanted],
                          capture_output=True, text=True, check=False, timeout=60).stdout


def alerts():
    return [json.loads(line) for line in journal("--unit", UNIT, ALERTS, output="json").splitlines()]


def shown(name, unit=UNIT):
    return run("systemctl", "show", f"--property={name}", "--value", unit).stdout.strip()


def status():
    return json.loads(run("punctual", "status", "--json").stdout)


def budgets():
    return {each["cgroup"]: each["budget_ns"] for each in status().get("classes", [])}


def enabled_nr():
    return int(sched_ext("enable_seq"))


def main_pid():
    return int(shown("MainPID"))


def configure(text):
    CONFIG.write_text(text, encoding="ascii")


def wait_enabled(wait_s=WAIT_S):
    wait_for(lambda: sched_ext("state") == "enabled", "a scheduler", wait_s)


class Eevdf(threading.Thread):
    """Notes when the kernel's own scheduler runs, if only for a moment; looks every millisecond."""

    def __init__(self, wait_s):
        super().__init__(daemon=True)
        self.begun_s = time.monotonic()
        self.after_s = None
        self.wait_s = wait_s
        self.start()

    def run(self):
        while not self.after_s and time.monotonic() < self.begun_s + self.wait_s:
            if sched_ext("state") == "disabled":
                self.after_s = time.monotonic() - self.begun_s
            time.sleep(0.001)


class Service(unittest.TestCase):
    def setUp(self):
        self.begin()

    def begin(self):
        self.begun_s, self.done_s = time.monotonic(), None

    def done(self):
        """What is timed has ended; what follows looks at it."""
        self.done_s = time.monotonic()

    def note(self, what, result):
        ROWS.append([what, result, f"{(self.done_s or time.monotonic()) - self.begun_s:.1f}"])

    def assert_runs(self, nr):
        """Enabled for the nr-th time since boot, by the unit."""
        self.assertEqual(shown("ActiveState"), "active", journal())
        self.assertEqual((sched_ext("state"), sched_ext("root/ops"), enabled_nr()), ("enabled", "scx_latency", nr), journal())

    def assert_comes_back(self, eevdf, pid, nr):
        """After an end that nobody asked for."""
        eevdf.join()
        self.assertIsNotNone(eevdf.after_s, "EEVDF in between")
        wait_enabled(120)
        wait_for(lambda: shown("ActiveState") == "active", "the unit")
        self.done()
        self.assert_runs(nr + 1)
        self.assertNotEqual(main_pid(), pid)

    def test_01_installed_units_are_taken_without_a_word(self):
        run("systemctl", "daemon-reload")
        run("systemd-sysusers")
        verified = run("systemd-analyze", "verify", "--man=no", UNIT, *SERVE_UNITS)
        ours = [line for line in verified.stderr.splitlines() if "punctual" in line]
        self.assertEqual(ours, [])
        self.note("`systemd-analyze verify` of the three units", "nothing said")

    def test_02_start_as_documented(self):
        CONFIG.parent.mkdir(exist_ok=True)
        run("install", "-D", EXAMPLE, str(CONFIG))
        run("punctual", "guard", "--check")
        configure(f'scheduler = "scx_latency"\n[budgets]\n"{SLICE}" = "60us"\n')
        run("systemctl", "stop", SLICE)
        nr = enabled_nr()
        self.assertEqual(sched_ext("state"), "disabled")
        self.begin()
        run("systemctl", "enable", "--now", UNIT)
        self.done()
        self.assert_runs(nr + 1)
        self.assertRegex(shown("StatusText"), "scx_latency is loaded")
        self.assertIn("/dev/kmsg", [os.readlink(fd) for fd in pathlib.Path(f"/proc/{main_pid()}/fd").iterdir()])
        self.note("`systemctl enable --now punctual`", "active, scx_latency enabled")

    def test_03_units_of_a_slice_have_its_budget(self):
        self.assertEqual(budgets(), {})
        self.begin()
        run("systemd-run", "--quiet", "--uid=nobody", f"--slice={SLICE}", "--unit=packets",
            "sh", "-c", "while :; do sleep 0.01; done")
        wait_for(lambda: budgets() == {SLICE: 60000}, "the budget of a slice that came later")
        self.done()
        before = status()["classes"][0]["waits"]
        wait_for(lambda: status()["classes"][0]["waits"] > before + 100, "waits of the unit's tasks")
        self.assertRegex(run("punctual", "status").stdout, rf"(?m)^{re.escape(SLICE)} +60us +[1-9]")
        self.note(f"`systemd-run --slice={SLICE}`, later than the guard", "in its class, and its waits are counted")

    def test_04_reload_changes_a_budget_in_place(self):
        nr, pid = enabled_nr(), main_pid()
        configure(f'scheduler = "scx_latency"\n[budgets]\n"{SLICE}" = "40us"\n')
        self.begin()
        run("systemctl", "reload", UNIT)
        self.done()
        self.assertEqual(budgets(), {SLICE: 40000})
        self.assert_runs(nr)
        self.assertEqual(main_pid(), pid)
        self.note("`systemctl reload`, another budget", "60us became 40us; the scheduler was not loaded anew")

    def test_05_reload_of_a_bad_file_leaves_all_as_it_is(self):
        nr, good = enabled_nr(), CONFIG.read_text(encoding="ascii")
        configure(good + '[set]\nslice_ms = 1\n')
        self.begin()
        self.assertNotEqual(run("systemctl", "reload", UNIT, status=None).returncode, 0)
        self.done()
        said = re.search(rf"{CONFIG}:5: set\.slice_ms: [^(\n]*[^( \n]", journal())
        self.assertIsNotNone(said, journal())
        self.assertIn("the new configuration was not taken", alerts()[-1]["MESSAGE"])
        self.assertIn("set.slice_ms", shown("StatusText"))
        self.assertEqual(budgets(), {SLICE: 40000})
        self.assert_runs(nr)
        configure(good)
        run("systemctl", "reload", UNIT)
        self.assertNotIn("set.slice_ms", shown("StatusText"))
        self.note("`systemctl reload`, a mistake in the file", f"fails, and all stays; in the journal: `{said[0]}`")

    def test_06_members_of_the_group_ask_without_root(self):
        def as_group(name):
            return run("setpriv", "--reuid=nobody", f"--regid={name}", "--clear-groups", "punctual", "budget", "set", SLICE, "50us",
                       status=None)
        self.begin()
        refused = as_group("nogroup")
        self.assertNotEqual(refused.returncode, 0, refused)
        self.assertEqual(budgets(), {SLICE: 40000})
        taken = as_group(GROUP)
        self.assertEqual(taken.returncode, 0, taken)
        self.assertEqual(budgets(), {SLICE: 50000})
        self.note("`punctual budget set` by a member of the group, by nobody", "done, refused")

    def test_07_killed_guard_is_started_again(self):
        nr, pid, eevdf = enabled_nr(), main_pid(), Eevdf(60)
        os.kill(pid, signal.SIGKILL)
        self.assert_comes_back(eevdf, pid, nr)
        self.assertEqual(shown("NRestarts"), "1")
        wait_for(lambda: budgets() == {SLICE: 40000}, "the budget of the file")
        said = [each for each in alerts() if each["MESSAGE"].startswith("the guard before this one ended without unloading (killed)")]
        self.assertEqual(len(said), 1, alerts())
        self.assertEqual((said[0]["PRIORITY"], said[0]["_PID"], said[0]["PUNCTUAL_SCHEDULER"], said[0]["SYSLOG_IDENTIFIER"]),
                         ("4", str(main_pid()), "scx_latency", "punctual"), said)
        self.note("kill -9 of the guard", f"EEVDF within {1000 * eevdf.after_s:.0f} ms; started and loaded again; said in the journal")

    def test_08_guard_that_hangs_is_killed_by_the_watchdog(self):
        run("systemctl", "reset-failed", UNIT)   # else two starts in a minute count for those that follow
        nr, pid, eevdf = enabled_nr(), main_pid(), Eevdf(2 * WATCHDOG_S)
        os.kill(pid, signal.SIGSTOP)
        self.assert_comes_back(eevdf, pid, nr)
        self.assertIn("Watchdog timeout", journal())
        self.assertGreater(eevdf.after_s, WATCHDOG_S / 2, "not before it is sure")
        self.note(f"SIGSTOP of the guard, WatchdogSec={WATCHDOG_S}",
                  f"killed by systemd and EEVDF after {eevdf.after_s:.1f} s; started and loaded again")

    def test_09_metrics_by_socket_activation(self):
        run("systemctl", "start", "punctual-serve.socket")
        self.assertEqual(shown("ActiveState", "punctual-serve.service"), "inactive")
        self.begin()
        wanted = ("punctual_scheduler_enabled 1\n", "punctual_runq_counted 1\n", "punctual_guard_held 0\n",
                  f'punctual_class_budget_seconds{{cgroup="{SLICE}"}} 4e-05\n', 'punctual_guard_loads_total 3\n')

        def metrics():
            with urllib.request.urlopen("http://127.0.0.1:9766/metrics", timeout=60) as answer:
                return answer.read().decode()
        try:
            wait_for(lambda: all(line in metrics() for line in wanted), "metrics")
        except Exception as error:
            raise AssertionError(f"{error}\n{journal('--unit=punctual-serve.service')}") from error
        self.done()
        self.assertEqual(shown("ActiveState", "punctual-serve.service"), "active")
        self.note("a request to the socket of punctual-serve", "started by it; answers with scheduler, guard, budget and waits")

    def test_10_exposure_is_low(self):
        levels = []
        for unit in (UNIT, SERVE_UNITS[0]):
            judged = run("systemd-analyze", "security", "--no-pager", f"--threshold={EXPOSURE_MAX * 10:.0f}", unit)
            levels.append(re.search(r"Overall exposure level for \S+: ([0-9.]+)", judged.stdout)[1])
            self.assertLessEqual(float(levels[-1]), EXPOSURE_MAX)
        self.note("`systemd-analyze security`", f"punctual {levels[0]}, punctual-serve {levels[1]} (at most {EXPOSURE_MAX})")

    def test_11_stop_is_at_once_and_good(self):
        eevdf = Eevdf(60)
        self.begin()
        run("systemctl", "stop", UNIT)
        self.done()
        self.assertEqual(sched_ext("state"), "disabled")
        eevdf.join()
        self.assertEqual((shown("ActiveState"), shown("Result"), shown("ExecMainStatus")), ("inactive", "success", "0"), journal())
        self.assertIn("EEVDF runs; it took over within", journal())
        self.note("`systemctl stop punctual`", f"EEVDF {1000 * eevdf.after_s:.0f} ms after the command began; inactive, exit status 0")

    def test_12_partition_is_made_and_undone_after_a_kill(self):
        group = pathlib.Path("/sys/fs/cgroup", SLICE)
        task = int(shown("MainPID", "packets.service"))

        def scope():
            partition = group / "cpuset.cpus.partition"   # the controller may not be on yet
            return os.sched_getscheduler(task), partition.read_text(encoding="ascii").strip() if partition.exists() else "member"
        self.assertEqual(scope(), (OTHER, "member"))
        configure(f'scheduler = "scx_latency"\ncpus = "1"\nonly = true\n[budgets]\n"{SLICE}" = "60us"\n')
        run("systemctl", "reset-failed", UNIT, status=None)
        self.begin()
        run("systemctl", "start", UNIT)
        wait_for(lambda: scope() == (EXT, "root"), "the slice's partition")
        os.kill(main_pid(), signal.SIGKILL)
        wait_for(lambda: shown("ActiveState") != "active", "the end")
        run("systemctl", "stop", UNIT)   # before Restart= has its turn
        self.done()
        self.assertEqual(sched_ext("state"), "disabled")
        self.assertEqual(scope(), (OTHER, "member"), journal())
        self.assertFalse(pathlib.Path("/run/punctual/only.json").exists())
        self.note("`only` under the sandbox, then kill -9", "partition and policy set; both undone by ExecStopPost")

    def test_13_sandbox_was_in_nobodys_way(self):
        lines = journal("--unit", UNIT, "--unit", SERVE_UNITS[0]).splitlines()
        self.assertEqual([line for line in lines if re.search(NARROW, line) and not re.search(MEANT, line)], [])

    def test_14_service_that_cannot_start_is_given_up(self):
        service, listening = SERVE_UNITS
        run("systemctl", "stop", *SERVE_UNITS)
        lacking = pathlib.Path(f"/run/systemd/system/{service}.d/lacking.conf")   # as without its library
        lacking.parent.mkdir(parents=True)
        lacking.write_text('[Service]\nExecStart=\nExecStart=/bin/sh -c "exit 3"\n', encoding="ascii")
        run("systemctl", "daemon-reload")
        run("systemctl", "start", listening)
        ends = "Main process exited"
        before = journal(f"--unit={service}").count(ends)
        self.begin()
        with socket.create_connection(("127.0.0.1", 9766), timeout=60):   # waits, so each end is followed by a start
            wait_for(lambda: shown("ActiveState", listening) == "failed", "the socket's end")
        self.done()
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", 9766), timeout=60)
        starts = journal(f"--unit={service}").count(ends) - before
        self.assertTrue(1 <= starts <= 5, starts)
        self.note("a request to punctual-serve, which cannot start", f"{starts} starts, then the socket refuses")


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=2, failfast=False)
    if not program.result.wasSuccessful():
        print(journal(), file=sys.stderr)
    print(json.dumps(ROWS))
    sys.exit(not program.result.wasSuccessful())
