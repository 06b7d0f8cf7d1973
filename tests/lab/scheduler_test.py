# SPDX-License-Identifier: GPL-2.0-only
"""The loader and the schedulers on a real kernel: inside/scheduler_checks.py has the claims, one guest checks all."""
import os
import re
import subprocess
import unittest

import guest
from guest import WALL, lab, punctual

OBJECTS = os.path.join(os.path.dirname(os.path.abspath(guest.PUNCTUAL)), "tests/objects")
HERE = os.path.dirname(os.path.abspath(__file__))


def http_library():
    """Options for `punctual serve` in the guest: it opens this library when it runs, so no image has it unasked."""
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    paths = re.findall(r"libmicrohttpd\.so\.12 .*=> (\S+)", known)
    if not paths:
        return ()
    needed = re.findall(r"=> (/\S+)", subprocess.run(["ldd", paths[0]], capture_output=True, text=True, check=True).stdout)
    return [word for path in (paths[0], *needed) for word in ("--include", path)] + ["--env", "CAN_SERVE=1"]


class Loader(unittest.TestCase):
    def test_promises_hold_on_a_real_kernel(self):
        # Relative, so that the guest's own directory has them too.
        ended = lab("python3", "-B", f"{HERE}/inside/scheduler_checks.py",
                    options=(*WALL, "--cpus", "2", "--include", f"{HERE}/inside", "--include", OBJECTS,
                             "--include", "/lib/terminfo", "--env", f"OBJECTS={OBJECTS}", *http_library(), "--timeout", "10m"))
        print(ended.err.decode(errors="replace"))
        self.assertEqual(ended.status, 0)

    def test_machines_of_several_caches_are_served(self):
        for kernel in ("6.16", "6.18", "7.3"):
            with self.subTest(kernel):
                ended = lab("python3", "-B", f"{HERE}/inside/caches_checks.py",
                            options=(*WALL, "--kernel", kernel, "--cpus", "2", "--caches", "2",
                                     "--include", f"{HERE}/inside", "--timeout", "10m"))
                print(ended.err.decode(errors="replace"))
                self.assertEqual(ended.status, 0)


class BadInput(unittest.TestCase):
    """What can be said on any machine, without a guest."""

    def assert_refused(self, arguments, code, *words):
        ended = punctual("run", *arguments)
        self.assertEqual(ended.status, code, (arguments, str(ended)))
        self.assertEqual(ended.err.count(b"\n"), 1, (arguments, str(ended)))
        for word in words:
            self.assertIn(word.encode(), ended.err)

    def test_mistakes_are_found_on_any_machine(self):
        self.assert_refused(["scx_nothing"], 2, "scx_nothing", "scx_latency")
        self.assert_refused([__file__], 2, "not a BPF object")
        self.assert_refused([guest.PUNCTUAL], 2, "another machine")
        self.assert_refused(["scx_simple", "--cpus", "0-1023"], 2, "0-1023")
        self.assert_refused(["scx_latency", "--slice", "vnf.slice=0"], 2, "vnf.slice")
        self.assert_refused(["scx_latency", "--slice", "vnf.slice=8760h"], 2, "vnf.slice")
        self.assert_refused(["scx_latency", "--slice", "vnf.slice"], 2, "CGROUP=DURATION")

    @unittest.skipIf(os.path.exists("/sys/kernel/sched_ext"), "this machine's kernel has sched_ext")
    def test_kernel_without_sched_ext_is_named(self):
        self.assert_refused(["scx_simple"], 3, "sched_ext", "punctual lab")


if __name__ == "__main__":
    unittest.main()
