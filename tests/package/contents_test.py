# SPDX-License-Identifier: GPL-2.0-only
"""The packaging against what it packs: no package is made here."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEBIAN = ROOT / "deploy/debian"
BUILD = os.environ.get("BUILD", str(ROOT / "build"))
CMAKE = os.environ.get("CMAKE", "cmake")
MOVED = {   # by debian/rules: what debhelper puts into place itself, and what is no example there
    "usr/lib/systemd/system/punctual.service": None,
    "usr/lib/systemd/system/punctual-serve.service": None,
    "usr/lib/systemd/system/punctual-serve.socket": None,
    "usr/lib/sysusers.d/punctual.conf": None,
    "usr/share/doc/punctual/examples/punctual.toml": "etc/punctual/punctual.toml",
}


def paragraphs(text):
    """Fields of each paragraph of a control file; anything that is none is an error."""
    found = []
    for paragraph in re.split(r"\n\n+", text.strip()):
        fields = {}
        for line in paragraph.splitlines():
            if line.startswith((" ", "\t")):
                fields[name] += "\n" + line   # pylint: disable=used-before-assignment
            else:
                name, value = re.fullmatch(r"([A-Za-z-]+):(.*)", line).groups()
                assert name not in fields, name
                fields[name] = value.strip()
        found.append(fields)
    return found


class Contents(unittest.TestCase):
    maxDiff = None

    def test_every_installed_file_is_named_and_no_other_is(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([CMAKE, "--install", BUILD, "--prefix", "/usr"], env={**os.environ, "DESTDIR": folder}, check=True,
                           capture_output=True)
            installed = {str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*") if path.is_file()}
        self.assertLessEqual(set(MOVED), installed)
        expected = {MOVED.get(name, name) for name in installed} - {None}
        self.assertEqual(set((DEBIAN / "punctual.install").read_text().split()), expected)
        rules = (DEBIAN / "rules").read_text()
        for name in MOVED:
            self.assertIn(pathlib.PurePath(name).name, rules)

    def test_documents_and_examples_are_there(self):
        for line in (DEBIAN / "punctual.docs").read_text().split() + (DEBIAN / "punctual.examples").read_text().split():
            self.assertTrue(list(ROOT.glob(line)), line)


class Control(unittest.TestCase):
    def test_parses_and_has_what_it_needs(self):
        source, binary = paragraphs((DEBIAN / "control").read_text())
        self.assertEqual((source["Source"], binary["Package"]), ("punctual", "punctual"))
        self.assertIn("${shlibs:Depends}", binary["Depends"])
        self.assertIn("${misc:Depends}", binary["Depends"])

    def test_what_is_built_with_is_what_setup_installs(self):
        source = paragraphs((DEBIAN / "control").read_text())[0]
        setup = (ROOT / "scripts/setup").read_text()
        known = set(re.findall(r"[a-z0-9][a-z0-9+.-]+", "".join(re.findall(r"^(?:needed|package_needs)=\(([^)]*)\)", setup,
                                                                             re.MULTILINE))))
        names = {re.sub(r"-compat|\s*\(.*\)", "", entry).strip() for entry in source["Build-Depends"].split(",")}
        self.assertEqual(names - known - {"libelf-dev"}, set())   # that one comes with libbpf-dev
        self.assertIn("debhelper", known)

    def test_copyright_parses_and_names_each_licence_that_it_gives(self):
        parts = paragraphs((DEBIAN / "copyright").read_text())
        given = {part["License"].splitlines()[0] for part in parts if "License" in part and "Files" not in part}
        used = {name for part in parts if "Files" in part for name in part["License"].split(" or ")}
        self.assertEqual(used, given)

    def test_installation_starts_nothing(self):
        rules = (DEBIAN / "rules").read_text()
        calls = re.findall(r"^\tdh_installsystemd.*", rules, re.MULTILINE)
        self.assertEqual(len(calls), 2)
        for call in calls:
            self.assertIn("--no-enable --no-start --restart-after-upgrade", call)

    def test_scripts_are_sound(self):
        for script in (DEBIAN / "punctual.prerm", DEBIAN / "punctual.postrm", *sorted((ROOT / "tests/package/inside").glob("*.sh"))):
            subprocess.run(["sh", "-n", script], check=True)
        subprocess.run(["bash", "-n", ROOT / "scripts/package"], check=True)
        self.assertTrue(os.access(DEBIAN / "rules", os.X_OK))


if __name__ == "__main__":
    unittest.main()
