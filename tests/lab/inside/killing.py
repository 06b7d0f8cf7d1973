# SPDX-License-Identifier: GPL-2.0-only
"""Kills a command with SIGKILL at one moment after the other, and looks what it left. On any kernel, as root."""
import os
import pathlib
import re
import signal
import subprocess
import time

from running import sched_ext, wait_for

PUNCTUAL = os.environ.get("PUNCTUAL", "punctual")
SIDES = ("vnf.slice", "telemetry.slice")
SECONDS_MAX = 300


def cgroups():
    """Where cgroup2 is mounted."""
    for line in pathlib.Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        if line.split()[2] == "cgroup2":
            return pathlib.Path(line.split()[1])
    raise AssertionError("no cgroup2")


def controllers():
    return set((cgroups() / "cgroup.subtree_control").read_text(encoding="ascii").split())


def sides():
    return {name for name in SIDES if (cgroups() / name).exists()}


def namespaces_held(pids):
    """Network namespaces that these processes are in, or hold by descriptors."""
    held = set()
    for pid in pids:
        for pattern in ("fd/*", "ns/net"):
            for path in pathlib.Path(f"/proc/{pid}").glob(pattern):
                try:
                    held.add(os.readlink(path))
                except OSError:
                    pass   # it has ended
    return {link for link in held if link.startswith("net:[")}


def everybody():
    return {int(path.name) for path in pathlib.Path("/proc").glob("[0-9]*")}


def family_of(pid):
    """A process and all below it, of whatever program and policy."""
    parents = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, todo = set(), [pid]
    while todo:
        found.add(todo[-1])
        todo.extend(set(parents.get(todo.pop(), [])) - found)
    return found


def members():
    """Processes in the cgroups of both sides."""
    found = set()
    for name in SIDES:
        try:
            found.update(map(int, (cgroups() / name / "cgroup.procs").read_text(encoding="ascii").split()))
        except OSError:
            continue
    return found


class Before:
    """How the machine was; what is more afterwards was left behind."""

    def __init__(self):
        self.controllers, self.sides = controllers(), sides()
        self.ours = namespaces_held([os.getpid()])

    def wait_until_only_files_are_left(self, killed):
        """The kernel ends what a killed process held; that takes it a moment."""
        wait_for(lambda: not killed.family & everybody() and not members(), "the end of all processes")
        wait_for(lambda: sched_ext("state") in ("", "disabled"), "the end of the scheduler")
        wait_for(lambda: not namespaces_held(everybody()) & (killed.namespaces - self.ours), "the end of the namespaces")

    def left(self):
        """Names of what is still there; empty: all is as it was."""
        return sorted(sides() - self.sides) + sorted(f"controller {name}" for name in controllers() ^ self.controllers)


class Killed:
    """A command that was killed after so many seconds, and what it had been."""

    def __init__(self, arguments, delay_s):
        process = subprocess.Popen([PUNCTUAL, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        try:
            process.wait(delay_s)
        except subprocess.TimeoutExpired:
            pass
        self.was_running = process.poll() is None
        self.family = family_of(process.pid)
        self.namespaces = namespaces_held(self.family)
        process.send_signal(signal.SIGKILL)
        _, said = process.communicate()
        self.said = (said.strip().splitlines() or [""])[-1]   # its last line


def punctual(*arguments):
    return subprocess.run([PUNCTUAL, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=SECONDS_MAX)


def duration_of(arguments):
    """How long it takes when nobody kills it."""
    begin = time.monotonic()
    run = punctual(*arguments)
    return time.monotonic() - begin, run


def walk(test, arguments, cleaner, moments, allowed=(0,)):
    """Kills `arguments` at so many moments from its start to its end. After each nothing but files may be left, and `cleaner`,
    the next start, takes those away."""
    before = Before()
    length_s, whole = duration_of(arguments)
    test.assertIn(whole.returncode, allowed, whole)
    test.assertEqual(before.left(), [], "after one that ended by itself")
    stages, found = [], set()
    for moment in range(moments):
        killed = Killed(arguments, length_s * (moment + 0.5) / moments)
        before.wait_until_only_files_are_left(killed)
        left = before.left()
        stages.append(f"{killed.said if killed.was_running else '(it had ended)'}, {len(killed.family)} processes, {len(killed.namespaces - before.ours)} namespaces: left {', '.join(left) or 'nothing'}")
        found.update(left)
        run = punctual(*cleaner)
        test.assertIn(run.returncode, allowed, (stages, run))
        test.assertEqual(before.left(), [], stages)
    print("\n".join([re.sub(r"\s+", " ", " ".join(arguments)), *(f"  {stage}" for stage in stages)]), flush=True)
    return found
