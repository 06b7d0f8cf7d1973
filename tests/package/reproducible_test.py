# SPDX-License-Identifier: GPL-2.0-only
"""Packages of two builds of one commit, in out/ and in build/package/again: the same bytes; or the names of what differs."""
import hashlib
import pathlib
import subprocess
import tempfile
import unittest

from roots_test import ROOT, VERSION

AGAIN = ROOT / "build/package/again"


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_of(package, folder):
    """Each file of the package and what it is: bytes, rights, target of a link."""
    subprocess.run(["dpkg-deb", "-R", package, folder], check=True)
    return {str(path.relative_to(folder)): (path.lstat().st_mode, path.readlink() if path.is_symlink() else sha256(path) if path.is_file() else "")
            for path in pathlib.Path(folder).rglob("*")}


def differences(one, other):
    with tempfile.TemporaryDirectory() as left, tempfile.TemporaryDirectory() as right:
        a, b = files_of(one, left), files_of(other, right)
    found = sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))
    return found or ["only times, owners or the order of files"]


class Reproducible(unittest.TestCase):
    def check(self, release):
        for name in (f"punctual_{VERSION}~deb{release}_amd64.deb", f"punctual-dbgsym_{VERSION}~deb{release}_amd64.deb"):
            one, other = ROOT / "out" / name, AGAIN / name
            for path in (one, other):
                self.assertTrue(path.exists(), f"no {path.relative_to(ROOT)}: make package-test makes it")
            print(name, sha256(one), sha256(other))
            if sha256(one) != sha256(other):
                self.fail(f"{name} differs: {', '.join(differences(one, other)[:20])}")

    def test_debian_12(self):
        self.check("12")

    def test_debian_13(self):
        self.check("13")


if __name__ == "__main__":
    unittest.main(verbosity=2)
