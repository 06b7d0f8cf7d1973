# SPDX-License-Identifier: GPL-2.0-only
"""Runs commands in a lab guest, for the tests of this folder."""
import os
import subprocess
import unittest

PUNCTUAL = os.environ.get("PUNCTUAL", os.path.join(os.path.dirname(__file__), "../../build/punctual"))

LACKING = 3
TIMEOUT = 124
INTERRUPTED = 130


class Ended:
    """How `punctual lab` ended: status, and both streams as bytes."""

    def __init__(self, process):
        self.status = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    def __str__(self):
        return f"status {self.status}\n{self.err.decode(errors='replace')}"


def punctual(*arguments, env=None, cwd=None):
    """Runs the program on the host and waits for it."""
    process = subprocess.run([PUNCTUAL, *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False,
                             env={**os.environ, **(env or {})}, cwd=cwd)
    return Ended(process)


def lab(*command, options=(), env=None, cwd=None):
    """Runs `command` in a guest. Without QEMU or a kernel the test is skipped, and says why."""
    ended = punctual("lab", *options, "--", *command, env=env, cwd=cwd)
    if ended.status == LACKING and ended.err.startswith(b"punctual: "):
        raise unittest.SkipTest(ended.err.decode().strip())
    return ended


# For tests of what happens and not of when: boots quicker, and needs no settling.
WALL = ("--time", "wall", "--settle", "0s")
VIRTUAL = ("--time", "virtual")

# Which of several periodic tasks meet, and meet the kernel's own work, is a matter of when they begin; in virtual time it
# is the same in every run of one build. So a claim about few seconds of them is no property of one start.
SETTLES = os.environ.get("SETTLE", "1s 1100ms 1230ms 1370ms 1490ms 1610ms 1730ms").split()


def assert_holds(test, ended_after):
    """`ended_after(settle)` runs the checks in a guest that settled for so long. They hold in at least one of seven starts:
    a rule that is broken fails in all. Every start is printed, also those that did not hold."""
    for settle in SETTLES:
        ended = ended_after(settle)
        print(f"--- settled for {settle}\n", ended.out.decode(errors="replace"), ended.err.decode(errors="replace"), flush=True)
        if ended.status == 0:
            return
    test.fail(f"held in none of {len(SETTLES)} starts")
