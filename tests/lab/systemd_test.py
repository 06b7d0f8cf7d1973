# SPDX-License-Identifier: GPL-2.0-only
"""A Debian root in the lab: systemd is the first process, and what services live by is there, our own among them as
`cmake --install` puts it. One guest answers all.

  systemd_test.py            the test; prints a table
  systemd_test.py --write    puts the table into docs/service.md as well
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import guest
import reliability
from guest import LACKING, WALL, lab, punctual

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("BUILD", os.path.dirname(os.path.abspath(guest.PUNCTUAL))))
ROOT = ("--root", "bookworm", "--package", "python3", "--package", "libmicrohttpd12", *WALL, "--cpus", "2", "--memory", "2G",
        "--timeout", "20m")
DOCUMENT = HERE.parents[1] / "docs/service.md"
BEGIN = "<!-- by: python3 tests/lab/systemd_test.py --write -->"
HEAD = "| what | result | seconds |\n|---|---|---:|"
NR_ROWS = 13
WRITES = "--write" in sys.argv


def install(folder):
    """As on a machine, below `folder`."""
    subprocess.run([os.environ.get("CMAKE", shutil.which("cmake")), "--install", str(BUILD), "--prefix", "/usr"], check=True,
                   env={**os.environ, "DESTDIR": folder}, stdout=subprocess.DEVNULL, timeout=120)


def answers_of(text):
    """{heading: lines}"""
    parts = re.split(r"^=== (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.splitlines() for part in parts[2::2])))


class Systemd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            install(folder)
            files = [f"{HERE}/inside/systemd_checks.sh:/root/checks.sh", f"{folder}/usr/share:/usr/share", f"{folder}/usr/lib:/usr/lib",
                     *(f"{HERE}/inside/{name}.py:/root/{name}.py" for name in ("service_checks", "running"))]
            # The program itself: the lab brings the one that runs it to /usr/bin.
            guest.PUNCTUAL = f"{folder}/usr/bin/punctual"
            cls.ended = lab("sh", "/root/checks.sh", options=(*ROOT, *(word for file in files for word in ("--file", file))))
        guest.PUNCTUAL = str(BUILD / "punctual")
        cls.said = answers_of(cls.ended.out.decode(errors="replace"))
        print(cls.ended)

    def test_status_of_the_command_comes_back(self):
        self.assertEqual(self.ended.status, 7, self.ended.out)

    def test_system_runs_with_no_unit_failed(self):
        self.assertEqual(self.said["state"], ["running"], self.said["failed"])
        self.assertEqual(self.said["failed"], [])
        self.assertEqual(self.said["release"], ["bookworm"])

    def test_command_is_a_service(self):
        self.assertEqual(self.said["own-unit"], ["0::/system.slice/punctual-lab.service"])
        self.assertEqual(self.said["cgroups"], ["cgroup2fs"])

    def test_transient_units_have_slice_and_journal(self):
        in_cgroup, main_pid = self.said["slice"]
        self.assertEqual(in_cgroup, main_pid)
        self.assertEqual([line for line in self.said["journal"] if line == "said by the unit"], ["said by the unit"])
        self.assertEqual(self.said["stopped"], ["inactive"])

    def test_budget_of_a_slice_holds_for_its_units(self):
        status = json.loads("\n".join(self.said["budget"]))
        self.assertEqual([(each["cgroup"], each["budget_ns"]) for each in status["classes"]], [("vnf.slice", 60000)])
        self.assertEqual(self.said["after"], ["disabled"])

    def test_service_keeps_its_promises(self):
        *_, rows, status = self.said["service"]
        self.assertEqual(status, "0", rows)
        rows = json.loads(rows)
        self.assertEqual(len(rows), NR_ROWS, rows)
        table = "\n".join([HEAD, *(f"| {' | '.join(cell.replace('|', ' ') for cell in row)} |" for row in rows)])
        print(table)
        if WRITES:
            reliability.write_table(BEGIN, table, DOCUMENT)


class Refusals(unittest.TestCase):
    def test_mistakes_are_usage_errors_of_one_line(self):
        for arguments in (["--root", "buster"], ["--root", "/no/such.tar"], ["--package", "apt"],
                          ["--root", "bookworm", "--package", "?essential"], ["--file", "/no/such:/x"], ["--file", "/etc/hosts"]):
            ended = punctual("lab", *arguments, "--", "true")
            self.assertEqual(ended.status, 2, (arguments, str(ended)))
            self.assertEqual(ended.err.count(b"\n"), 1, (arguments, str(ended)))

    def test_without_network_the_remedy_is_named(self):
        offline = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
        with tempfile.TemporaryDirectory() as cache:
            ended = punctual("lab", "--root", "bookworm", "--", "true", env={"PUNCTUAL_CACHE": cache, **offline})
            self.assertEqual(ended.status, LACKING, ended)
            self.assertIn(b"network", ended.err)
            self.assertEqual(list(pathlib.Path(cache).glob("*.tar*")), [])


class Broken(unittest.TestCase):
    def test_root_without_systemd_is_called_that(self):
        empty = HERE / "load"   # a directory of files that make no system
        ended = lab("true", options=("--root", str(empty), *WALL))
        self.assertEqual(ended.status, 1, ended)
        self.assertIn(b"has no /sbin/init", ended.err)


if __name__ == "__main__":
    unittest.main(argv=[word for word in sys.argv if word != "--write"])
