# SPDX-License-Identifier: GPL-2.0-only
"""The package in a booted Debian: installed it starts nothing; told to, its service loads the scheduler; purged, EEVDF runs."""
import json
import pathlib
import re
import subprocess
import sys
import unittest

from roots_test import ROOT, SUITES, package_for

sys.path.insert(0, str(ROOT / "tests/lab"))
from guest import WALL, lab  # noqa: E402  pylint: disable=wrong-import-position


def depends_of(package):
    """Names, of alternatives the first; systemd is in each root of the lab."""
    text = subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True, text=True, check=True).stdout
    return [entry.split("|")[0].split("(")[0].strip() for entry in text.split(",") if "systemd" not in entry.split("|")[0].split("(")[0]]


class Service(unittest.TestCase):
    def check(self, release):
        package = package_for(release)
        wanted = [word for name in (*depends_of(package), "libsystemd0", "libmicrohttpd12" if release == "12" else "libmicrohttpd12t64")
                  for word in ("--package", name)]
        inside = pathlib.Path(__file__).parent / "inside/service.sh"
        ended = lab("sh", "/root/service.sh", "/root/punctual.deb",
                    options=("--root", SUITES[release], *WALL, "--cpus", "2", "--memory", "2G", "--timeout", "60m", *wanted,
                             "--file", f"{inside}:/root/service.sh", "--file", f"{package}:/root/punctual.deb"))
        text = ended.out.decode(errors="replace")
        print(text, ended)
        said = {name: body.splitlines() for name, body in re.findall(r"^=== (\S+)\n((?:(?!===).*\n)*)", text, re.MULTILINE)}
        self.assertEqual(said["install"], ["0"])   # and dpkg finds no file that is not the package's
        self.assertEqual(said["nothing-started"], ["inactive"] * 3 + ["disabled"] * 4)
        self.assertEqual(said["doctor"][-1], "0")
        self.assertEqual(said["started"], ["0", "enabled"])
        status = json.loads("\n".join(said["status"]))
        self.assertEqual([(each["cgroup"], each["budget_ns"]) for each in status["classes"]], [("vnf.slice", 60000)])
        self.assertEqual(said["serve"], ["active"])
        self.assertEqual(said["reinstalled"], ["0", "active", "enabled"])
        self.assertEqual(said["stopped"], ["0", "disabled"])
        self.assertEqual(said["removed-while-it-runs"][:4], ["enabled", "0", "disabled", "inactive"])
        self.assertEqual(said["removed-while-it-runs"][4:], [])   # no file is left

    def test_debian_12(self):
        self.check("12")

    def test_debian_13(self):
        self.check("13")


if __name__ == "__main__":
    unittest.main(verbosity=2)
