# SPDX-License-Identifier: GPL-2.0-only
"""What `punctual profile` says, in a guest: inside/profile_checks.py; and what it refuses, on any machine."""
import os
import subprocess
import unittest

from guest import LACKING, PUNCTUAL, VIRTUAL, lab, punctual

BUILD = os.path.dirname(os.path.abspath(PUNCTUAL))
HERE = os.path.dirname(os.path.abspath(__file__))
USAGE = 2
NOBODY = 65534
KERNEL = os.environ.get("KERNEL", "6.18")


class Profile(unittest.TestCase):
    def test_agrees_with_totals_from_outside(self):
        objects, programs = f"{BUILD}/tests/objects", {"PINGPONG": f"{BUILD}/pingpong", "FORKS": f"{BUILD}/forks"}
        options = [option for name, path in programs.items() for option in ("--include", path, "--env", f"{name}={path}")]
        ended = lab("python3", "-B", f"{HERE}/inside/profile_checks.py",
                    options=(*VIRTUAL, "--kernel", KERNEL, "--settle", "0s", "--include", f"{HERE}/inside", "--include", objects,
                             "--env", f"OBJECTS={objects}", *options, "--timeout", "10m"))
        print(ended.out.decode(errors="replace"), ended.err.decode(errors="replace"))
        self.assertEqual(ended.status, 0)


class BadInput(unittest.TestCase):
    def test_mistakes_are_found_on_any_machine(self):
        for arguments, word in ((["-d", "0"], "10ms"), (["-p", "x"], "bpftool"), (["-f", "1M"], "10000"), (["-o", "a.png"], ".svg")):
            ended = punctual("profile", *arguments)
            self.assertEqual(ended.status, USAGE, str(ended))
            self.assertIn(word.encode(), ended.err)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_without_privilege_the_remedy_is_told(self):
        ended = subprocess.run([PUNCTUAL, "profile", "-d", "10ms"], user=NOBODY, group=NOBODY, extra_groups=[],
                               capture_output=True, text=True, check=False, cwd="/")
        self.assertEqual(ended.returncode, LACKING, ended.stderr)
        self.assertIn("root", ended.stderr)


if __name__ == "__main__":
    unittest.main()
