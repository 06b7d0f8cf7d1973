# SPDX-License-Identifier: GPL-2.0-only
"""The units of `punctual serve`: systemd takes them, their exposure is small, and the capabilities that the service keeps are
enough, and none of them too many.

  PUNCTUAL=build/punctual python3 tests/serve/units_test.py
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from server import CAN_COUNT, PUNCTUAL, SECONDS_MAX, Server

UNITS = pathlib.Path(__file__).resolve().parents[2] / "deploy/systemd"
SERVICE = (UNITS / "punctual-serve.service").read_text()
EXPOSURE_MAX = 4.0
USER = 64999   # as a dynamic user: owns nothing


def setting(name):
    return re.search(rf"^{name}=(.*)$", SERVICE, re.MULTILINE)[1]


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
class Units(unittest.TestCase):
    def analyze(self, *words):
        return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=SECONDS_MAX)

    def test_systemd_takes_them(self):
        with tempfile.TemporaryDirectory() as folder:
            units = []
            for name in ("punctual-serve.socket", "punctual-serve.service"):
                units.append(pathlib.Path(folder) / name)
                text = (UNITS / name).read_text().replace("/usr/bin/punctual", str(pathlib.Path(PUNCTUAL).resolve()))
                units[-1].write_text(text)
            verified = self.analyze("verify", "--man=no", *units)
        self.assertEqual((verified.returncode, verified.stdout, verified.stderr), (0, "", ""))

    def test_exposure_is_small(self):
        judged = self.analyze("security", "--offline=true", "--no-pager", UNITS / "punctual-serve.service")
        level = float(re.search(r"Overall exposure level .*: ([\d.]+)", judged.stdout)[1])
        self.assertLessEqual(level, EXPOSURE_MAX)

    def test_what_it_runs_is_a_command_of_the_program(self):
        command = setting("ExecStart").split()[1:]
        shown = subprocess.run([PUNCTUAL, *command, "--help"], capture_output=True, text=True, check=False, timeout=SECONDS_MAX)
        self.assertEqual(shown.returncode, 0, shown)


@unittest.skipUnless(CAN_COUNT and shutil.which("setpriv"), "takes root, BTF and setpriv")
class Capabilities(unittest.TestCase):
    """Not under systemd: with the same user and the same capabilities."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o700)   # root's, as the guard's folder is
        self.folder = folder.name

    def serve(self, capabilities):
        words = ",".join(["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in capabilities)])
        return Server("--state-dir", self.folder, "--interval", "200ms", command=(
            "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs", f"--bounding-set={words}",
            f"--inh-caps={words}", f"--ambient-caps={words}"))

    def test_those_it_keeps_are_enough(self):
        kept = setting("CapabilityBoundingSet").split()
        with self.serve(kept) as server:
            self.assertIn(b"punctual_runq_counted 1\n", server.ask()[2])
            self.assertIn(b'"guard_trouble":null', server.ask("/api/live")[2])

    def test_without_those_of_the_probes_it_does_not_start(self):
        with self.assertRaisesRegex(AssertionError, "not started"):
            self.serve(["CAP_DAC_READ_SEARCH"])

    def test_without_that_of_files_the_guard_is_out_of_reach(self):
        with self.serve(["CAP_BPF", "CAP_PERFMON"]) as server:
            self.assertIn(b"punctual_runq_counted 1\n", server.ask()[2])
            self.assertIn(b'"guard_trouble":"cannot read', server.ask("/api/live")[2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
