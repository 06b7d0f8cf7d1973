# SPDX-License-Identifier: GPL-2.0-only
"""Packages in out/, in fresh roots of the releases that they are for: install, upgrade, remove, purge; nothing is left."""
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUITES = {"12": "bookworm", "13": "trixie"}
VERSION = re.search(r"^project\(punctual VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]


def package_for(release):
    path = ROOT / f"out/punctual_{VERSION}~deb{release}_amd64.deb"
    assert path.exists(), f"no {path.relative_to(ROOT)}: scripts/package {SUITES[release]} makes it"
    return path


def older(package, folder):
    """The same as a lower version, as an upgrade begins."""
    tree = pathlib.Path(folder, "tree")
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*", "Version: 0.0.1", control.read_text(), flags=re.MULTILINE))
    target = pathlib.Path(folder, "older.deb")
    subprocess.run(["dpkg-deb", "-b", "--root-owner-group", tree, target], check=True, stdout=subprocess.DEVNULL)
    return target


class Lifecycle(unittest.TestCase):
    def check(self, release):
        package = package_for(release)
        suite = SUITES[release]
        sources = subprocess.run([ROOT / "scripts/package", "--sources", suite], capture_output=True, text=True, check=True).stdout
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder).chmod(0o755)
            inside = ROOT / "tests/package/inside/lifecycle.sh"
            ended = subprocess.run(
                ["mmdebstrap", "--quiet", "--variant=apt",
                 f"--customize-hook=upload {older(package, folder)} /tmp/old.deb",
                 f"--customize-hook=upload {package} /tmp/new.deb",
                 f"--customize-hook=upload {inside} /tmp/lifecycle.sh",
                 '--customize-hook=chroot "$1" sh /tmp/lifecycle.sh /tmp/old.deb /tmp/new.deb',
                 suite, "/dev/null", "-"], input=sources, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=1800)
        print(f"--- {suite}\n{ended.stdout}")
        self.assertEqual(ended.returncode, 0, ended.stdout[-4000:])
        said = dict(re.findall(r"^=== (.*)\n((?:(?!===).*\n)*)", ended.stdout, re.MULTILINE))
        self.assertEqual(said["version"], f"punctual {VERSION}\n")
        self.assertIn("scheduler    scx_latency\n", said["check"])
        self.assertRegex(said["doctor"], r"(?m)^ok    libbpf ")
        for page in ("punctual", "punctual.toml", "punctual-files"):
            self.assertRegex(said[f"man {page}"], rf"^{page}\([58]\)")
        self.assertIn("clean", said)

    def test_debian_12(self):
        self.check("12")

    def test_debian_13(self):
        self.check("13")


if __name__ == "__main__":
    unittest.main(verbosity=2)
