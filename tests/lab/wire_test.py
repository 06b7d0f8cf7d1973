# SPDX-License-Identifier: GPL-2.0-only
"""Real packets in the lab: inside/wire_checks.py has the claims on a kernel with sched_ext, one guest checks all; and what
`punctual bench --lab` and `punctual lab --module` say of themselves."""
import json
import os
import shutil
import unittest

from guest import WALL, lab, punctual

HERE = os.path.dirname(os.path.abspath(__file__))
USAGE, INVALID = 2, 4
RUNS_MAX = 6
LOAD = ("--lab", "--time", "wall", "--packets", "udp", "--background", "spin", "--arms", "scx_latency=20ms", "--settle", "10ms",
        "--warmup", "100ms", "--json")


class Wire(unittest.TestCase):
    def test_every_packet_is_accounted_for_on_a_kernel_with_sched_ext(self):
        tc = shutil.which("tc") or "/sbin/tc"
        if not os.path.exists(tc):
            self.skipTest("no tc (apt install iproute2)")
        ended = lab("python3", "-B", f"{HERE}/inside/wire_checks.py",
                    options=(*WALL, "--cpus", "2", "--module", "veth", "--module", "sch_tbf", "--include", tc, "--include",
                             f"{HERE}/inside", "--env", f"TC={tc}", "--timeout", "15m"))
        print(ended.out.decode(errors="replace"), ended.err.decode(errors="replace"))
        self.assertEqual(ended.status, 0)

    def test_bench_in_the_lab_accounts_for_every_packet_or_says_what_was_the_limit(self):
        lab("true", options=WALL)   # skips where there is no lab
        for _ in range(RUNS_MAX):
            ended = punctual("bench", *LOAD, "--pps", "500", "--duration", "500ms")
            if ended.status != INVALID:
                break
            self.assertIn(b"generator-limited", ended.err)
        self.assertEqual(ended.status, 0, ended)
        document = json.loads(ended.out)
        self.assertEqual(document["arms"][0]["packets"]["residue"], 0)
        self.assertEqual(document["environment"]["cpus_online"], "0-1")
        self.assertTrue(document["environment"]["time"].startswith("wall"))

    def test_an_overdriven_generator_in_the_lab_is_called_invalid(self):
        lab("true", options=WALL)
        ended = punctual("bench", *LOAD, "--pps", "2M", "--duration", "200ms")
        self.assertEqual((ended.status, ended.out), (INVALID, b""), ended)
        self.assertIn(b"generator-limited", ended.err)


class Modules(unittest.TestCase):
    def test_a_module_is_loaded_with_what_it_needs_where_packages_are_one_and_where_they_are_apart(self):
        for kernel in ("6.18", "7.3"):
            with self.subTest(kernel):
                # vxlan needs two others.
                ended = lab("cut", "-d ", "-f1", "/proc/modules",
                            options=(*WALL, "--kernel", kernel, "--module", "veth", "--module", "vxlan"))
                self.assertEqual(ended.status, 0, ended)
                self.assertLessEqual({b"veth", b"vxlan", b"udp_tunnel", b"ip6_udp_tunnel"}, set(ended.out.split()))

    def test_an_unknown_module_is_refused_by_name(self):
        ended = lab("true", options=(*WALL, "--module", "no-such-module"))
        self.assertEqual(ended.status, USAGE, ended)
        self.assertIn(b"'no_such_module'", ended.err)
        self.assertEqual(ended.out, b"")


if __name__ == "__main__":
    unittest.main()
