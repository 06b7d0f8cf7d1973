# SPDX-License-Identifier: GPL-2.0-only
"""punctual serve on the machine that runs here: what it tells, whom it tells, and what it takes to hurt it.

  PUNCTUAL=build/punctual python3 tests/serve/serve_test.py
"""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import server
from server import CAN_COUNT, PUNCTUAL, SECONDS_MAX, Server

USAGE, LACKING = 2, 3
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
GUARD = {"schema": "punctual.guard_state", "version": 1, "phase": "held", "held_by": "breaker", "reason": "three <b>faults",
         "wait_until_ns": 0, "loaded_at_ns": 5, "faults_ns": [1, 2, 3], "hotplugs_ns": [], "faults_in_row": 3, "random": 1,
         "loads": 4, "warnings": 2,
         "exits": {"asked_for": 0, "hotplug": 1, "error": 2, "stall": 1, "sysrq": 0, "kernel": 0, "refused": 0, "slo": 0}}


def values_of(metrics):
    """{series: value} of a text in the exposition format."""
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in metrics.decode().splitlines() if not line.startswith("#")}


def eventually(check, seconds=SECONDS_MAX):
    """The first true answer of `check`, asked again and again."""
    until = time.monotonic() + seconds
    while not (answer := check()) and time.monotonic() < until:
        time.sleep(0.1)
    return answer


def run(*options, command=()):
    return subprocess.run([*command, PUNCTUAL, "serve", *options], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=SECONDS_MAX)


def cgroup_mount():
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        fields = [line.split() for line in mounts]
    return next((pathlib.Path(row[4]) for row in fields if "cgroup2" in row), None)


class Told(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.guard = pathlib.Path(folder.name) / "guard.json"
        cls.guard.write_text(json.dumps(GUARD))
        cls.cgroup = cls.hostile_cgroup()
        cls.server = Server("--interval", "200ms", "--cgroups", "3", "--cost", "--state-dir", folder.name)
        cls.addClassCleanup(cls.server.close)

    @classmethod
    def hostile_cgroup(cls):
        """One whose name would end a label, a line and a script, and in which somebody sleeps and wakes."""
        mount = cgroup_mount()
        if not CAN_COUNT or mount is None:
            return None
        path = mount / 'punctual-test "} 1 x{y="<script>\x1b[31m'
        path.mkdir(exist_ok=True)
        cls.addClassCleanup(lambda: eventually(lambda: not path.exists() or rmdir(path)))
        sleeper = subprocess.Popen(["sh", "-c", "read go; while :; do sleep 0.02; done"], stdin=subprocess.PIPE)
        cls.addClassCleanup(lambda: (sleeper.kill(), sleeper.wait(), sleeper.stdin.close()))
        (path / "cgroup.procs").write_text(str(sleeper.pid))
        sleeper.stdin.write(b"go\n")
        sleeper.stdin.flush()
        return path

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed (scripts/setup tests)")
    def test_promtool_has_nothing_to_say_about_the_metrics(self):
        _, headers, body = self.server.ask()
        self.assertEqual(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        check = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, check=False, timeout=SECONDS_MAX)
        self.assertEqual((check.returncode, check.stdout, check.stderr), (0, b"", b""))

    @unittest.skipUnless(CAN_COUNT, "counting waits needs root and BTF")
    def test_waits_are_counted_and_their_cost_is_told(self):
        before = values_of(self.server.ask()[2])
        name = 'punctual_runq_latency_seconds_count{kind="wakeup"}'
        self.assertTrue(eventually(lambda: values_of(self.server.ask()[2])[name] > before[name]))
        after = values_of(self.server.ask()[2])
        for series, value in before.items():
            if "_total" in series or "_bucket" in series:
                self.assertGreaterEqual(after.get(series, value), value, series)
        self.assertEqual(after["punctual_runq_counted"], 1)
        self.assertGreater(after['punctual_bpf_run_seconds_total{prog="punctual_runq"}'], 0)
        self.assertIn("punctual_samples_lost_total", after)

    @unittest.skipUnless(CAN_COUNT, "counting waits needs root and BTF")
    def test_cgroups_have_a_bound_and_names_do_no_harm(self):
        def told():
            series = [name for name in values_of(self.server.ask()[2]) if "cgroup_runq_latency_seconds_count" in name]
            self.assertLessEqual(len(series), 4)
            return series if any("(other)" in name for name in series) else None
        if self.cgroup:
            live = eventually(lambda: [row for row in self.live()["cgroups"] if "punctual-test" in row["cgroup"]])
            self.assertTrue(live, self.live()["cgroups"])
            self.assertNotIn("\x1b", live[0]["cgroup"])
            self.assertNotIn("\n", live[0]["cgroup"])
        self.assertNotIn(b"\x1b", self.server.ask()[2])
        self.assertTrue(all(name.isprintable() for name in told() or ()))

    def live(self):
        status, headers, body = self.server.ask("/api/live")
        self.assertEqual((status, headers["content-type"]), (200, "application/json"))
        return json.loads(body)

    def test_live_and_history_are_documents_with_a_version(self):
        live = self.live()
        self.assertEqual((live["schema"], live["version"], live["interval_ns"]), ("punctual.live", 1, 200_000_000))
        if not CAN_COUNT:
            self.assertIn("--no-runq", live["waits_trouble"])
            return
        history = eventually(lambda: (lambda found: found if len(found["points"]) >= 2 else None)(
            json.loads(self.server.ask("/api/history")[2])))
        self.assertEqual((history["schema"], history["version"]), ("punctual.history", 1))
        times = [point["at_ns"] for point in history["points"]]
        self.assertEqual(times, sorted(set(times)))
        for point in history["points"]:
            self.assertEqual(sum(point["octaves"]), point["waits"])
            self.assertLessEqual(point["p50_ns"], point["p99_ns"])

    def test_guard_is_told_as_its_file_has_it(self):
        metrics = values_of(self.server.ask()[2])
        self.assertEqual(metrics['punctual_scheduler_exits_total{reason="error"}'], 2)
        self.assertEqual(metrics["punctual_guard_held"], 1)
        guard = self.live()["guard"]
        self.assertEqual((guard["phase"], guard["running"], guard["reason"], guard["loads"]), ("held", False, "three <b>faults", 4))

    def test_damaged_state_of_the_guard_costs_its_metrics_alone(self):
        self.addCleanup(eventually, lambda: self.live()["guard"])
        self.addCleanup(self.guard.write_text, json.dumps(GUARD))   # done first
        self.guard.write_text("{")
        self.assertTrue(eventually(lambda: self.live()["guard_trouble"]))
        metrics = self.server.ask()[2]
        self.assertNotIn(b"punctual_guard", metrics)
        self.assertIn(b"punctual_build_info", metrics)

    def test_page_allows_itself_alone(self):
        status, headers, body = self.server.ask("/")
        self.assertEqual(status, 200)
        nonce = headers["content-security-policy"].partition("script-src 'nonce-")[2].partition("'")[0]
        self.assertEqual(len(nonce), 32)
        self.assertIn(f'<script nonce="{nonce}">'.encode(), body)
        self.assertNotIn(nonce.encode(), self.server.ask("/")[2])   # of that answer alone


def rmdir(path):
    try:
        path.rmdir()
    except OSError:   # its last process is not gone yet
        return False
    return True


class Asked(unittest.TestCase):
    def setUp(self):
        self.server = Server("--no-runq")
        self.addCleanup(self.server.close)

    def test_only_get_and_head(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "JUNK"):
            status, headers, _ = self.server.ask("/metrics", method, body=b"")
            self.assertEqual((method, status, headers.get("allow")), (method, 405, "GET, HEAD"))
        _, headers, body = self.server.ask("/metrics", "HEAD")
        self.assertEqual(body, b"")
        self.assertGreater(int(headers["content-length"]), 100)
        large = ("Host: localhost", f"Content-Length: {1 << 40}")
        self.assertEqual(self.server.ask("/metrics", "POST", large, b"x" * 100_000)[0], 405)

    def test_other_paths_are_not_there(self):
        for path in ("/metrics/", "//metrics", "/../etc/passwd", "/%2e%2e/etc/passwd", "/api", "/api/live/x", "/" + "a" * 4000, "*"):
            self.assertIn(self.server.ask(path)[0], (400, 404), path)
        self.assertEqual(self.server.ask("/metrics?x=/api/live")[0], 200)

    def test_a_name_that_somebody_lets_point_here_is_refused(self):
        for host in ("evil.example", "127.0.0.1.evil.example:80"):
            self.assertEqual(self.server.ask("/metrics", headers=(f"Host: {host}",))[0], 421)
        self.assertEqual(self.server.ask("/metrics", headers=("Host: 127.0.0.1:1",))[0], 200)

    def test_term_ends_it_at_once_with_connections_open(self):
        open_ones = [self.server.connect() for _ in range(20)]
        open_ones[0].sendall(b"GET / HT")
        begun = time.monotonic()
        self.assertEqual(self.server.close(), 0)
        self.assertLess(time.monotonic() - begun, 5)   # no limit of time is waited for: those are 10 s
        for connection in open_ones:
            connection.close()
        with Server("--no-runq", listen=f"127.0.0.1:{self.server.port}"):   # the port is free again
            pass


class Load(unittest.TestCase):
    """Whatever clients do, the server stays small, and a client that behaves is answered."""
    GROWTH_KIB_MAX = 24 * 1024   # 64 connections with their buffers, and twice what is served

    def setUp(self):
        self.server = Server("--no-runq", "--interval", "100ms")
        self.addCleanup(self.server.close)
        for _ in range(20):
            self.server.ask("/")
        self.before_kib = self.server.memory_kib()
        self.descriptors = self.server.nr_descriptors()

    def assert_unhurt(self):
        self.assertEqual(self.server.ask()[0], 200)
        self.assertLessEqual(self.server.nr_threads(), 2)
        self.assertLess(self.server.memory_kib() - self.before_kib, self.GROWTH_KIB_MAX)
        self.assertLessEqual(self.server.nr_descriptors(), self.descriptors + 70)

    def test_many_connections_at_once(self):
        answers = []

        def client():
            for _ in range(10):
                answers.append(self.server.ask("/")[0])
        threads = [threading.Thread(target=client) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [200] * 500)
        self.assert_unhurt()

    def test_slow_clients_take_the_place_of_others_for_seconds_only(self):
        with contextlib.ExitStack() as stack:
            slow = [stack.enter_context(contextlib.closing(self.server.connect())) for _ in range(200)]
            stop = threading.Event()

            def drip():
                while not stop.wait(0.5):
                    for connection in slow:
                        with contextlib.suppress(OSError):
                            connection.send(b"G")
            dripping = threading.Thread(target=drip)
            dripping.start()
            try:
                self.assertEqual(self.server.ask()[0], 200)   # within SECONDS_MAX: the slow ones are cut off
                self.assert_unhurt()
            finally:
                stop.set()
                dripping.join()

    def test_clients_that_do_not_read_hold_no_more_than_their_connection(self):
        with contextlib.ExitStack() as stack:
            for _ in range(40):
                connection = stack.enter_context(contextlib.closing(self.server.connect()))
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                connection.setblocking(False)
                with contextlib.suppress(OSError):
                    connection.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)
            self.assert_unhurt()

    def test_large_heads_are_refused(self):
        for head in (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 1_000_000,
                     b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
                     b"\r\n" * 100_000, bytes(range(256)) * 400):
            with contextlib.closing(self.server.connect()) as connection:
                with contextlib.suppress(OSError):   # cut off meanwhile
                    connection.sendall(head)
                answer = server.read_all(connection, 30)
                self.assertNotIn(b"HTTP/1.1 200", answer[:20], head[:40])
        self.assert_unhurt()

    def test_pipelined_requests_are_answered_in_order(self):
        paths = ["/", "/metrics", "/nowhere", "/api/live"] * 50
        with contextlib.closing(self.server.connect()) as connection:
            requests = b"".join(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in paths)
            threading.Thread(target=lambda: connection.sendall(requests + b"GET /api HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
                             daemon=True).start()
            answers = server.read_all(connection).split(b"HTTP/1.1 ")[1:]
        self.assertEqual([int(answer[:3]) for answer in answers], [404 if path == "/nowhere" else 200 for path in paths] + [404])
        self.assert_unhurt()


class Started(unittest.TestCase):
    def test_socket_that_is_passed_is_the_one(self):
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listening:
            port = listening.getsockname()[1]
            # LISTEN_PID is the process that is to take it: a shell knows its own number, and becomes the server.
            words = ["sh", "-c", 'eval "exec 3<&$1" && shift && LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", str(listening.fileno())]
            with Server("--no-runq", listen=None, command=words, pass_fds=[listening.fileno()]) as passed:
                self.assertEqual(passed.port, port)
                self.assertEqual(passed.ask()[0], 200)
            refused = subprocess.run([*words, PUNCTUAL, "serve", "--no-runq", "--listen", "127.0.0.1:1"], capture_output=True, text=True,
                                     check=False, timeout=SECONDS_MAX, pass_fds=[listening.fileno()])
            self.assertEqual(refused.returncode, USAGE, refused)
            self.assertIn("ListenStream=", refused.stderr)

    def test_other_machines_get_in_only_when_told_so_and_with_a_warning(self):
        with Server("--no-runq", listen="0.0.0.0:0") as exposed:
            self.assertIn("without a password", exposed.process.stderr.readline())
            self.assertEqual(exposed.ask(headers=("Host: any.example",))[0], 200)
        with Server("--no-runq") as local:
            addresses = {line.split()[1] for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
                         if line.split()[3] == "0A"}
            self.assertIn(f"0100007F:{local.port:04X}", addresses)

    def test_wrong_options_are_usage(self):
        for options in (("--listen", "localhost:1"), ("--interval", "2h"), ("--interval", "1ms"), ("--cgroups", "1000")):
            refused = run("--no-runq", *options)
            self.assertEqual(refused.returncode, USAGE, refused)

    def test_taken_port_names_the_remedy(self):
        with Server("--no-runq") as first:
            second = run("--no-runq", "--listen", f"127.0.0.1:{first.port}")
        self.assertEqual(second.returncode, 1, second)
        self.assertIn("ss -ltnp", second.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "becomes another user")
    def test_without_the_rights_it_says_so_or_serves_the_rest(self):
        refused = run("--listen", "127.0.0.1:0", command=NOBODY)
        self.assertEqual(refused.returncode, LACKING, refused)
        self.assertIn("--no-runq", refused.stderr)
        with Server("--no-runq", command=NOBODY) as poor:
            metrics = values_of(poor.ask()[2])
        self.assertEqual(metrics["punctual_runq_counted"], 0)
        self.assertIn("punctual_scheduler_enabled", metrics)


if __name__ == "__main__":
    unittest.main(verbosity=2)
