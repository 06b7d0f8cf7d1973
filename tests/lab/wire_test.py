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
OVERDRIVEN = ("--lab", "--time", "wall", "--packets", "udp", "--background", "spin", "--arms", "scx_latency=20ms", "--settle",
              "10ms", "--warmup", "100ms", "--pps", "2M", "--duration", "200ms", "--json")
VIRTUAL = ("--lab", "--packets", "udp", "--background", "spin", "--arms", "scx_latency=60us", "--settle", "100ms", "--warmup", "20ms",
           "--pps", "20k", "--duration", "50ms", "--json")


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

    def test_real_packets_in_virtual_time_are_the_same_in_two_boots_and_keep_the_budget(self):
        lab("true", options=("--cpus", "2"))   # skips where there is no lab
        # That two boots agree is what bench itself demands, of every packet's latency.
        ended = punctual("bench", *VIRTUAL)
        self.assertEqual(ended.status, 0, ended)
        document = json.loads(ended.out)
        arm = document["arms"][0]
        self.assertEqual(arm["packets"]["residue"], 0)
        self.assertEqual((arm["offered"], arm["delivered"]), (1000, 1000))
        self.assertLess(arm["p50_ns"], 60_000 + 20_000)   # the wait, and an emulated CPU's work on a packet
        self.assertLess(arm["packets"]["lateness_max_ns"], 10_000)   # nobody else is on the generator's CPU
        self.assertEqual(document["environment"]["cpus_online"], "0-1")

    def test_an_overdriven_generator_in_the_lab_is_called_invalid(self):
        lab("true", options=WALL)
        ended = punctual("bench", *OVERDRIVEN)
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
