# SPDX-License-Identifier: GPL-2.0-only
"""For scripts inside a lab guest: `punctual run` in the background, and what the kernel says about it."""
import os
import re
import signal
import subprocess
import threading
import time
import unittest

WAIT_S = 60   # for anything that takes milliseconds on an idle machine
SCHED_EXT = "/sys/kernel/sched_ext/"


def sched_ext(name):
    try:
        with open(SCHED_EXT + name, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def wait_for(condition, what, wait_s=WAIT_S):
    deadline = time.monotonic() + wait_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {wait_s} s for {what}")
        time.sleep(0.02)


def wait_disabled(wait_s=WAIT_S):
    wait_for(lambda: sched_ext("state") == "disabled", "state disabled", wait_s)


def kernel_log():
    """What the kernel has said since boot."""
    return subprocess.run(["dmesg"], capture_output=True, text=True, check=True, errors="replace").stdout


def ran_ns(pid):
    """CPU time of its main thread."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


def cpu_of(pid):
    """On which it runs, or ran last."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return int(file.read().rsplit(")", 1)[1].split()[36])


def make_cgroup(path):
    os.makedirs(f"/sys/fs/cgroup/{path}", exist_ok=True)


class Running:
    """One `punctual run` or guard: its lines on stderr as they come, and its end."""

    def __init__(self, *arguments, command="run", preexec_fn=None):
        self.process = subprocess.Popen(["punctual", command, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, preexec_fn=preexec_fn)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            wait_disabled()
        self.reader.join(WAIT_S)
        self.process.stdout.close()
        self.process.stderr.close()

    def find(self, pattern, nr=1):
        """The nr-th match among the lines so far, or None."""
        matches = [match for line in self.lines if (match := re.search(pattern, line))]
        return matches[nr - 1] if len(matches) >= nr else None

    def wait_line(self, pattern, nr=1, wait_s=WAIT_S):
        try:
            wait_for(lambda: self.find(pattern, nr) or self.process.poll() is not None, f"a line like '{pattern}'", wait_s)
        except AssertionError as late:
            raise AssertionError("\n".join([str(late), *self.lines])) from None
        self.reader.join(1 if self.process.poll() is not None else 0)
        match = self.find(pattern, nr)
        if not match:
            raise AssertionError(f"no line like '{pattern}' (nr {nr}) but:\n" + "\n".join(self.lines))
        return match

    def wait_enabled(self, nr=1, wait_s=WAIT_S):
        return self.wait_line(r" enabled on cpus ", nr, wait_s)

    def send(self, number):
        self.process.send_signal(number)

    def await_end(self):
        """Waits for its end, or as long as may be waited for one."""
        try:
            self.end()
        except subprocess.TimeoutExpired:
            pass

    def end(self):
        """Waits for its end; the exit status."""
        status = self.process.wait(WAIT_S)
        self.reader.join(WAIT_S)
        return status

    def stop(self):
        self.send(signal.SIGTERM)
        return self.end()


class Quiet(unittest.TestCase):
    """Each test begins and ends with the kernel's own scheduler."""

    def setUp(self):
        self.assertEqual(sched_ext("state"), "disabled")

    def tearDown(self):
        wait_disabled()

    def assert_refused(self, ended, code, *words):
        self.assertEqual(ended.returncode, code, ended)
        self.assertEqual(ended.stderr.count("\n"), 1, ended)
        self.assertEqual(ended.stdout, "", ended)
        for word in words:
            self.assertIn(word, ended.stderr)
