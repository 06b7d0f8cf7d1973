# SPDX-License-Identifier: GPL-2.0-only
"""A Debian root in the lab: systemd is the first process, and what services live by is there. One guest answers all."""
import json
import pathlib
import re
import tempfile
import unittest

from guest import LACKING, WALL, lab, punctual

HERE = pathlib.Path(__file__).resolve().parent
ROOT = ("--root", "bookworm", *WALL, "--cpus", "2", "--memory", "2G")


def answers_of(text):
    """{heading: lines}"""
    parts = re.split(r"^=== (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.splitlines() for part in parts[2::2])))


class Systemd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ended = lab("sh", "/root/checks.sh", options=(*ROOT, "--file", f"{HERE}/inside/systemd_checks.sh:/root/checks.sh"))
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
    unittest.main()
