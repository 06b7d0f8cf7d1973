# SPDX-License-Identifier: GPL-2.0-only
"""What `cmake --install` puts on a machine, looked at by systemd's own tools. Nothing is started."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = os.environ["BUILD"]
CMAKE = os.environ["CMAKE"]
EXPOSURE_MAX = 4.0   # of 10, by systemd-analyze security
NEEDED = ("usr/bin/punctual", "usr/share/man/man8/punctual.8", "usr/lib/systemd/system/punctual.service",
          "usr/lib/systemd/system/punctual-serve.service", "usr/lib/systemd/system/punctual-serve.socket",
          "usr/lib/sysusers.d/punctual.conf", "usr/share/doc/punctual/examples/punctual.toml")
# A unit may order itself after others; those of the base system are not here.
BASE_UNITS = ("sysinit.target", "basic.target", "shutdown.target", "multi-user.target", "sockets.target", "system.slice",
              "-.slice")


def run(*command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120, **options)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        cls.install = run(CMAKE, "--install", BUILD, "--prefix", "/usr", env={**os.environ, "DESTDIR": cls.folder.name})
        units = cls.root / "usr/lib/systemd/system"
        for name in BASE_UNITS:
            if (units / "punctual.service").exists():
                (units / name).write_text("[Unit]\n", encoding="ascii")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @property
    def unit(self):
        return self.root / "usr/lib/systemd/system/punctual.service"

    def verify(self, text=None):
        if text:
            self.unit.write_text(text, encoding="ascii")
        return run("systemd-analyze", "verify", "--man=no", f"--root={self.root}", "punctual.service", "punctual-serve.service",
                   "punctual-serve.socket")

    def test_everything_is_there(self):
        self.assertEqual(self.install.returncode, 0, self.install)
        for name in NEEDED:
            self.assertTrue((self.root / name).is_file(), name)
        self.assertIn("ExecStart=/usr/bin/punctual guard", self.unit.read_text(encoding="ascii"))

    def test_unit_is_one_that_systemd_takes_without_a_word(self):
        ended = self.verify()
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        text = self.unit.read_text(encoding="ascii")
        try:   # and it would say one
            broken = self.verify(text.replace("/usr/bin/punctual guard --config", "/usr/bin/none --config"))
            self.assertNotEqual((broken.returncode, broken.stderr), (0, ""))
            self.assertIn("WatchdogSecs", self.verify(text.replace("WatchdogSec=", "WatchdogSecs=")).stderr)
        finally:
            self.unit.write_text(text, encoding="ascii")

    def test_exposure_is_low(self):
        threshold = str(round(EXPOSURE_MAX * 10))
        ended = run("systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={threshold}", str(self.unit))
        level = re.search(r"Overall exposure level for punctual.service: ([0-9.]+)", ended.stdout)
        self.assertIsNotNone(level, ended)
        print("exposure", level[1])
        self.assertEqual(ended.returncode, 0, ended.stdout)
        self.assertLessEqual(float(level[1]), EXPOSURE_MAX)

    def test_group_is_created(self):
        (self.root / "etc").mkdir(exist_ok=True)
        ended = run("systemd-sysusers", f"--root={self.root}", "punctual.conf")
        self.assertEqual(ended.returncode, 0, ended)
        self.assertRegex((self.root / "etc/group").read_text(encoding="ascii"), r"(?m)^punctual:x:\d+:")


class Example(unittest.TestCase):
    """Beside what tests/unit/config_file_test.cpp reads in it."""

    def test_is_one_that_the_guard_takes(self):
        example = pathlib.Path(__file__).parents[2] / "deploy/examples/punctual.toml"
        ended = run(f"{BUILD}/punctual", "guard", "--check", "--config", str(example))
        self.assertEqual(ended.returncode, 0, ended)
        self.assertIn("scheduler    scx_latency\n", ended.stdout)

    def test_mistakes_are_named_with_file_line_and_key(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "punctual.toml")
            for text, words in (('floor = "90%"', ":2: floor: "), ('[set]\nslice_ms = 1', ":3: set.slice_ms: "),
                                ('[guard]\nslo = ["p98(a) > 1us"]', ":3: guard.slo: --slo, position 1"),
                                ('[guard]\non_fallback = "a \'b"', ":3: guard.on_fallback: "),
                                ('[guard]\nwebhook = "ftp://a"', ":3: guard.webhook: "), ('cpu = "0"', ":2: unknown key 'cpu'"),
                                ('[budgets]\na = "2s"', ":3: budgets.a: "), ("only = 1", ":2: only: write true")):
                file.write_text(f'scheduler = "scx_latency"\n{text}\n', encoding="ascii")
                ended = run(f"{BUILD}/punctual", "guard", "--check", "--config", folder)
                self.assertEqual(ended.returncode, 2, (text, ended))
                self.assertIn(f"{file}{words}", ended.stderr)
                self.assertEqual(ended.stderr.count("\n"), 1, ended)
                self.assertEqual(ended.stdout, "")

    def test_flag_goes_before_environment_before_file(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "punctual.toml").write_text(
                'scheduler = "scx_simple"\ntimeout = "1s"\n[guard]\nmetrics = "/file"\n', encoding="ascii")

            def shown(*flags, **variables):
                ended = run(f"{BUILD}/punctual", "guard", *flags, "--check", "--config", folder, env={**os.environ, **variables})
                self.assertEqual(ended.returncode, 0, ended)
                return dict(line.split(None, 1) for line in ended.stdout.splitlines())

            self.assertEqual(shown()["metrics"], "/file")
            self.assertEqual(shown(PUNCTUAL_METRICS="/env", PUNCTUAL_TIMEOUT="2s")["metrics"], "/env")
            self.assertEqual(shown("--timeout", "3s", PUNCTUAL_TIMEOUT="2s")["timeout"], "3s")
            self.assertEqual(shown(PUNCTUAL_SCHEDULER="scx_latency")["scheduler"], "scx_latency")
            self.assertEqual(shown("scx_simple", PUNCTUAL_SCHEDULER="scx_latency")["scheduler"], "scx_simple")


if __name__ == "__main__":
    if not shutil.which("systemd-analyze"):
        print("no systemd-analyze here")
        sys.exit(77)
    unittest.main(verbosity=2)
