# SPDX-License-Identifier: GPL-2.0-only
"""One fault of a scheduler under `punctual guard`: what runs beside it, and its row of the table. For scripts inside a lab
guest, with the directory of test objects in $OBJECTS."""
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time

from running import Quiet, Running, ran_ns, sched_ext

OBJECTS = os.environ["OBJECTS"]
SLICE = "vnf.slice"
ROWS = []


def foreign(name):
    return f"{OBJECTS}/{name}.bpf.o"


class Worker:
    """A task that must not be lost: it always runs, and counts as lost when it is gone or gets no CPU any more."""

    def __init__(self, script="while :; do :; done", cgroup=None):
        self.process = subprocess.Popen(["sh", "-c", script])
        if cgroup:
            pathlib.Path(f"/sys/fs/cgroup/{cgroup}/cgroup.procs").write_text(str(self.process.pid), encoding="ascii")

    def is_lost(self):
        if self.process.poll() is not None:
            return True
        before = ran_ns(self.process.pid)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if ran_ns(self.process.pid) > before:
                return False
            time.sleep(0.02)
        return True

    def end(self):
        self.process.kill()
        self.process.wait()


class Disabled(threading.Thread):
    """Notes when the kernel says that its own scheduler runs; looks a thousand times a second, before all other tasks."""

    def __init__(self):
        super().__init__(daemon=True)
        self.at_s = None
        self.start()

    def run(self):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        while sched_ext("state") != "disabled":
            time.sleep(0.001)
        self.at_s = time.monotonic()


class FaultCase(Quiet):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory()
        self.workers = [Worker(), Worker()]

    def tearDown(self):
        for worker in self.workers:
            worker.end()
        super().tearDown()
        self.folder.cleanup()

    def path(self, name):
        return pathlib.Path(self.folder.name, name)

    def guard(self, *arguments):
        return Running(*arguments, "--state-dir", self.folder.name, "--metrics", str(self.path("metrics")), command="guard")

    def punctual_guard(self, *arguments):
        return subprocess.run(["punctual", "guard", *arguments, "--state-dir", self.folder.name], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=120)

    def metrics(self):
        return self.path("metrics").read_text(encoding="ascii")

    def row(self, fault, said, time_ms):
        lost = sum(worker.is_lost() for worker in self.workers)
        ROWS.append([fault, said, time_ms, lost])
        self.assertEqual(lost, 0, ROWS[-1])

    def note(self, fault, guard, said, time_ms=None):
        """A row of the table. `said`: a pattern of the guard's line; the time is the guard's own unless given."""
        line = guard.wait_line(said).string.removeprefix("guard: ")
        if time_ms is None:
            took = r"EEVDF runs; it took over within (\d+) ms"
            guard.wait_line(took)
            time_ms = [match[1] for text in guard.lines[:guard.lines.index("guard: " + line)] if (match := re.search(took, text))][-1]
        self.row(fault, line, time_ms)
