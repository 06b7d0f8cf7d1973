# SPDX-License-Identifier: GPL-2.0-only
"""`punctual top` in a real terminal (tmux), on this machine's kernel: screens, keys, and how it leaves.

Needs root and a kernel that lets us attach; exit status 77, skipped, where that or tmux is missing.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

PUNCTUAL = os.environ.get("PUNCTUAL", str(pathlib.Path(__file__).resolve().parents[2] / "build/punctual"))
SECONDS_MAX = 90   # until something appears: only to end what hangs
SKIP = 77
LACKING = 3


class Shell:
    """A shell in a terminal of its own, on a tmux server of its own."""

    def __init__(self, folder, width=100, height=30):
        self.socket = str(pathlib.Path(folder) / "tmux")
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "PS1": "$ ", "ENV": ""}
        environment.pop("TMUX", None)
        subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y",
                        str(height), "-c", folder, "sh"], check=True, env=environment)

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", self.socket, *arguments], check=True, capture_output=True, text=True).stdout

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def enter(self, line):
        self.tmux("send-keys", "-l", line)
        self.press("Enter")

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def wait_for(self, text):
        """The screen that has the text; an error with the last screen when none has."""
        end = time.monotonic() + SECONDS_MAX
        while time.monotonic() < end:
            screen = self.screen()
            if text in screen:
                return screen
            time.sleep(0.1)
        raise AssertionError(f"no {text!r} in {SECONDS_MAX} s:\n{screen}")

    def start_top(self):
        # The status is spelled so that the line which asks for it does not look like the answer.
        self.enter(f"{PUNCTUAL} top; echo left with $((1000 + $?))")
        self.wait_for("[CPUs]")
        return self.wait_for("\ncpu 0 ")

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, capture_output=True)


class Top(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.shell = Shell(folder.name)
        self.addCleanup(self.shell.close)

    def is_usable(self, status):
        """The program left with the status, and the shell has its echo, its lines and its old screen back."""
        self.shell.wait_for(f"left with {1000 + status}")
        modes = "echo icanon isig icrnl"
        self.shell.enter("stty -a | tr ' ;' '\\n\\n' | grep -cxE 'echo|icanon|isig|icrnl'; echo all of the $((2 + 2)) modes")
        screen = self.shell.wait_for("all of the 4 modes")
        self.assertIn("\n4\nall of the 4 modes", screen, modes)
        self.assertNotIn("[CPUs]", screen)

    def pid(self):
        shell = self.shell.tmux("list-panes", "-F", "#{pane_pid}").strip()
        return int(pathlib.Path(f"/proc/{shell}/task/{shell}/children").read_text())

    def test_keys_change_the_screen_and_q_leaves_the_terminal_usable(self):
        screen = self.shell.start_top()
        self.assertIn("losses     lost", screen)
        self.shell.press("c")
        self.assertIn("throttled", self.shell.wait_for("[cgroups]"))
        self.shell.press("Tab")
        self.shell.wait_for("[tasks]")
        self.shell.press("m")
        self.shell.wait_for("[culprits]")
        self.shell.press("?")
        self.shell.wait_for("Any key closes this.")
        self.shell.press("x", "u")
        self.shell.wait_for("[CPUs]")
        self.shell.press("r")
        self.shell.wait_for("since reset")
        self.shell.press("f")
        self.shell.wait_for("FROZEN")
        self.shell.press("q")
        self.is_usable(0)

    def test_it_follows_the_size_of_the_terminal(self):
        self.shell.start_top()
        self.shell.tmux("resize-window", "-x", "70", "-y", "20")
        self.shell.wait_for("this terminal has 70 x 20.")
        self.shell.tmux("resize-window", "-x", "120", "-y", "40")
        self.shell.wait_for("wakeup p99")
        self.shell.press("q")
        self.is_usable(0)

    def test_screen_is_written_to_a_file(self):
        self.shell.start_top()
        self.shell.press("w")
        self.shell.wait_for("written: punctual-top-")
        written, = self.folder.glob("punctual-top-*.txt")
        self.assertTrue(written.read_text().startswith("punctual top [CPUs]"))
        self.shell.press("Escape")
        self.is_usable(0)

    def test_sigterm_leaves_the_terminal_usable(self):
        self.shell.start_top()
        os.kill(self.pid(), 15)
        self.is_usable(130)

    def test_ctrl_c_and_ctrl_z_leave_the_terminal_usable(self):
        self.shell.start_top()
        self.shell.press("C-z")
        self.shell.wait_for("Stopped")
        self.shell.enter("fg; echo left with $((1000 + $?))")
        self.shell.wait_for("[CPUs]")
        self.shell.press("C-c")
        self.is_usable(130)


class WithoutATerminal(unittest.TestCase):
    def test_points_to_runq(self):
        run = subprocess.run([PUNCTUAL, "top"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 2)
        self.assertIn("punctual runq", run.stderr)
        self.assertEqual(run.stdout, "")


def why_not():
    if shutil.which("tmux") is None:
        return "no tmux"
    probe = subprocess.run([PUNCTUAL, "runq", "100ms", "1"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           check=False, timeout=120)
    return probe.stderr.strip() if probe.returncode == LACKING else None


if __name__ == "__main__":
    REASON = why_not()
    if REASON:
        print("skipped:", REASON)
        sys.exit(SKIP)
    unittest.main()
