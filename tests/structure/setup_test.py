# SPDX-License-Identifier: GPL-2.0-only
"""scripts/setup on machines that are not there: apt and dpkg are stand-ins that keep a log."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import tree

SETUP = tree.ROOT / "scripts/setup"
REAL_TOOLS = ("bash", "awk", "grep", "sort", "realpath", "cat", "dpkg")
BOOKWORM = "ID=debian\nVERSION_ID=12\nPRETTY_NAME='Debian GNU/Linux 12'\n"
TRIXIE = "ID=debian\nVERSION_ID=13\n"
# What an up-to-date machine has; the values are what dpkg-query prints.
CURRENT = {"libbpf-dev:amd64": "1:1.4.6-1~bpo12+1", "qemu-system-x86": "1:10.0.2+ds-2"}
DPKG_QUERY = '#!/bin/bash\ncat "$STATE/installed"\n'
# indextargets prints the sources; install makes everything current, as a working mirror would.
APT_GET = """#!/bin/bash
if [[ $1 == indextargets ]]; then cat "$STATE/sources"; exit; fi
echo "$*" >>"$STATE/log"
[[ $* != *" install "* ]] || [[ -e $STATE/mirror_is_old ]] || cat "$STATE/current" >"$STATE/installed"
"""
SOURCES = "http://mirror.example/debian/ bookworm main\nhttp://mirror.example/debian-security/ bookworm-security main\n"


def needed():
    """Package names in the script's own list."""
    run = subprocess.run(["bash", "-c", f'eval "$(sed -n "/^needed=(/,/^)/p" {SETUP})"; printf "%s\\n" "${{needed[@]%%>=*}}"'],
                         capture_output=True, text=True, check=True)
    return run.stdout.split()


class Machine:
    """A directory with stand-ins in bin/ and what they read and write in state/."""

    def __init__(self, root, os_release, sources=SOURCES):
        self.root = pathlib.Path(root)
        self.root.chmod(0o755)
        tree.plant(root, {"etc/os-release": os_release, "state/sources": sources, "state/log": "",
                          "bin/dpkg-query": DPKG_QUERY, "bin/apt-get": APT_GET,
                          "state/current": self.listing({}), "etc/apt/sources.list.d/.keep": ""})
        for name in ("dpkg-query", "apt-get"):
            (self.root / "bin" / name).chmod(0o755)
        for name in REAL_TOOLS:
            (self.root / "bin" / name).symlink_to(shutil.which(name))
        shutil.copy(SETUP, self.root / "setup")   # where any user may read it
        self.install({})

    @staticmethod
    def listing(changes):
        """dpkg's table with everything current, but for `changes`: {name: version, or None when not installed}."""
        table = {name: "1" for name in needed() if not any(key.split(":")[0] == name for key in CURRENT)}
        table.update(CURRENT)
        table.update(changes)
        return "".join(f"{name} installed {version}\n" for name, version in table.items() if version)

    def install(self, changes):
        (self.root / "state/installed").write_text(self.listing(changes))

    def setup(self, *words, user=None):
        environment = {"PATH": str(self.root / "bin"), "STATE": str(self.root / "state"),
                       "PUNCTUAL_SETUP_ROOT": str(self.root)}
        return subprocess.run(["bash", str(self.root / "setup"), *words], env=environment, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, user=user)

    def apt_calls(self):
        return (self.root / "state/log").read_text().splitlines()

    def backports(self):
        path = self.root / "etc/apt/sources.list.d/punctual-backports.list"
        return path.read_text() if path.exists() else None


class OnAMachine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def machine(self, os_release=BOOKWORM, sources=SOURCES):
        return Machine(self.folder, os_release, sources)


class Setup(OnAMachine):
    def test_does_nothing_when_nothing_is_missing(self):
        machine = self.machine()
        run = machine.setup()
        self.assertEqual((run.returncode, run.stdout, run.stderr, machine.apt_calls()), (0, "", "", []))

    def test_what_only_tests_need_is_for_tests(self):
        machine = self.machine()
        self.assertEqual(machine.setup().returncode, 0)
        self.assertEqual(machine.apt_calls(), [])   # no browser for who builds
        machine.setup("tests")
        self.assertTrue(machine.apt_calls()[-1].endswith(
            " install chromium chromium-driver fish iproute2 linux-perf prometheus python3-selenium python3-yaml rt-app tmux zsh"), machine.apt_calls())

    def test_debian_13_has_the_checker_of_metrics_in_a_package_of_its_own(self):
        machine = self.machine(TRIXIE)
        machine.setup("tests")
        self.assertTrue(machine.apt_calls()[-1].endswith(
            " install chromium chromium-driver fish iproute2 linux-perf prometheus promtool python3-selenium python3-yaml rt-app tmux zsh"), machine.apt_calls())

    def test_tests_of_deploy_have_packages_of_their_own(self):
        machine = self.machine()
        machine.setup("deploy")
        self.assertTrue(machine.apt_calls()[-1].endswith(" install ansible-core prometheus python3-yaml"), machine.apt_calls())

    def test_packages_are_made_with_packages_of_their_own(self):
        machine = self.machine()
        machine.setup("package")
        self.assertTrue(machine.apt_calls()[-1].endswith(" install debhelper dpkg-dev lintian man-db"), machine.apt_calls())

    def test_unknown_word_is_refused(self):
        run = self.machine().setup("browser")
        self.assertEqual((run.returncode, run.stderr), (1, "setup: unknown word 'browser': give none, tests, deploy or package\n"))

    def test_other_distribution_gets_the_list(self):
        machine = self.machine("ID=fedora\nVERSION_ID=44\nPRETTY_NAME=Fedora\n")
        machine.install({"cmake": None})
        run = machine.setup()
        self.assertEqual(run.returncode, 1)
        self.assertIn("Fedora, not Debian 12 or 13", run.stderr)
        self.assertIn("ninja-build", run.stderr)
        self.assertEqual(machine.apt_calls(), [])

    @unittest.skipIf(os.geteuid() != 0, "becomes another user")
    def test_without_root_it_names_the_command(self):
        machine = self.machine()
        machine.install({"cmake": None})
        run = machine.setup(user=65534)
        self.assertEqual(run.returncode, 1)
        self.assertIn("cmake. Run as root:", run.stderr)
        self.assertEqual(machine.apt_calls(), [])


@unittest.skipIf(os.geteuid() != 0, "installing is root's")
class Install(OnAMachine):
    def test_installs_exactly_what_is_missing(self):
        machine = self.machine()
        machine.install({"cmake": None, "scdoc": None})
        run = machine.setup()
        self.assertEqual(run.returncode, 0, run.stderr)
        update, install = machine.apt_calls()
        self.assertTrue(update.endswith("update"), update)
        self.assertTrue(install.endswith(" install cmake scdoc"), install)
        self.assertIsNone(machine.backports())   # nothing of there is missing

    def test_old_libbpf_on_debian_12_comes_from_backports_of_the_same_mirror(self):
        machine = self.machine()
        machine.install({"libbpf-dev:amd64": "1:1.1.2-0+deb12u1"})
        run = machine.setup()
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("libbpf-dev/bookworm-backports", machine.apt_calls()[-1])
        self.assertIn("http://mirror.example/debian/ bookworm-backports main\n", machine.backports())

    def test_existing_backports_source_is_kept(self):
        machine = self.machine(sources=SOURCES + "http://other.example/debian/ bookworm-backports main\n")
        machine.install({"qemu-system-x86": "1:7.2+dfsg-7"})
        self.assertEqual(machine.setup().returncode, 0)
        self.assertIn("seabios/bookworm-backports", machine.apt_calls()[-1])
        self.assertIsNone(machine.backports())

    def test_debian_13_needs_no_backports(self):
        machine = self.machine(TRIXIE, "http://mirror.example/debian/ trixie main\n")
        machine.install({"libbpf-dev:amd64": None, "qemu-system-x86": None})
        self.assertEqual(machine.setup().returncode, 0)
        self.assertTrue(machine.apt_calls()[-1].endswith(" install libbpf-dev qemu-system-x86"), machine.apt_calls())
        self.assertIsNone(machine.backports())

    def test_unknown_mirror_is_a_clear_error(self):
        machine = self.machine(sources="")
        machine.install({"libbpf-dev:amd64": None})
        run = machine.setup()
        self.assertEqual(run.returncode, 1)
        self.assertIn("add one to /etc/apt/sources.list", run.stderr)

    def test_mirror_with_old_versions_is_an_error_not_a_success(self):
        machine = self.machine()
        machine.install({"libbpf-dev:amd64": "1:1.1.2"})
        (machine.root / "state/mirror_is_old").touch()
        run = machine.setup()
        self.assertEqual(run.returncode, 1)
        self.assertIn("too old: libbpf-dev", run.stderr)


if __name__ == "__main__":
    unittest.main()
