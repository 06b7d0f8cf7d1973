# SPDX-License-Identifier: GPL-2.0-only
"""Real packets over virtual Ethernet on the kernel that runs here. Needs root and two CPUs.

No latency is asserted, and a busy machine may well make the generator too slow: such a run says so and is repeated.
What must never happen is a packet that nobody can account for.

  PUNCTUAL=build/punctual python3 tests/bench/packets_test.py
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import time
import unittest

PUNCTUAL = os.environ.get("PUNCTUAL", "punctual")
USAGE, INVALID = 2, 4
SECONDS_MAX = 120
RUNS_MAX = 12  # until enough were not disturbed by others on this machine
PLANES = ("udp", "recvmmsg", "af_packet")


def bench_command(plane, *options):
    return [PUNCTUAL, "bench", "--packets", plane, "--arms", "eevdf", "--background", "spin", "--settle", "10ms",
            "--warmup", "50ms", "--json", *options]


def bench(plane, *options):
    return subprocess.run(bench_command(plane, *options), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=SECONDS_MAX)


def eventually(condition):
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.1)
    return False


def children_of(pid):
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def links_of(*patterns):
    """What descriptors and namespaces of all processes point to."""
    links = set()
    for pattern in patterns:
        for path in pathlib.Path("/proc").glob(pattern):
            try:
                links.add(os.readlink(path))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                pass
    return links


def network_namespaces():
    held = links_of("[0-9]*/fd/*", "[0-9]*/ns/net")
    mounted = re.findall(r"net:\[\d+\]", pathlib.Path("/proc/self/mountinfo").read_text())
    return {link for link in held if link.startswith("net:[")} | set(mounted)


def devices():
    return {line.split(":")[0].strip() for line in pathlib.Path("/proc/net/dev").read_text().splitlines()[2:]}


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@unittest.skipUnless(len(os.sched_getaffinity(0)) > 1, "the generator needs a CPU of its own")
class Packets(unittest.TestCase):
    def undisturbed(self, plane, *options):
        """The account of a run in which the generator was good enough."""
        for _ in range(RUNS_MAX):
            run = bench(plane, *options)
            self.assertNotIn("not accounted for", run.stderr)
            if run.returncode == INVALID and "generator-limited" in run.stderr:
                continue
            self.assertEqual(run.returncode, 0, run)
            arm = json.loads(run.stdout)["arms"][0]
            self.assertEqual(arm["packets"]["plane"], plane)
            self.assertEqual(arm["packets"]["residue"], 0)
            self.assertEqual(arm["offered"], arm["delivered"] + arm["dropped"])
            return arm
        self.skipTest(f"this machine was too busy for {RUNS_MAX} runs")

    def test_every_packet_of_several_runs_is_accounted_for(self):
        for plane in PLANES:
            for seed in range(3):
                with self.subTest(plane=plane, seed=seed):
                    arm = self.undisturbed(plane, "--pps", "2k", "--duration", "300ms", "--seed", str(seed))
                    self.assertIn(arm["offered"], (599, 600))   # the phase decides
                    self.assertGreater(arm["delivered"], 0)

    def test_loss_is_booked_where_it_happens(self):
        # A millisecond of work twice in a millisecond: no scheduler can prevent that half of the packets are lost.
        for plane, stage in (("udp", "to_function_socket"), ("recvmmsg", "to_function_socket"),
                             ("af_packet", "to_function_ring")):
            with self.subTest(plane=plane):
                arm = self.undisturbed(plane, "--pps", "2k", "--work", "1ms", "--ring", "8", "--duration", "500ms")
                self.assertGreater(arm["packets"][stage], 100)
                self.assertGreater(arm["dropped"], 100)
                self.assertGreater(arm["packets"]["rcvbuf_packets"], 0)

    def test_an_overdriven_generator_is_called_invalid(self):
        run = bench("udp", "--pps", "5M", "--duration", "200ms")
        self.assertEqual(run.returncode, INVALID, run)
        self.assertIn("generator-limited", run.stderr)
        self.assertEqual(run.stdout, "")

    def test_kill_leaves_nothing_behind(self):
        before = network_namespaces(), devices()
        bench_run = subprocess.Popen(bench_command("udp", "--pps", "1k", "--duration", "100s"),
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            # Sink, packet function, generator, and two of the background: all of them run.
            self.assertTrue(eventually(lambda: len(children_of(bench_run.pid)) == 5), children_of(bench_run.pid))
            self.assertEqual(len(network_namespaces() - before[0]), 3)
            self.assertEqual(devices(), before[1])   # not even while it runs is there one on the machine's own network
            children = children_of(bench_run.pid)
        finally:
            bench_run.send_signal(signal.SIGKILL)
            bench_run.wait()
        self.assertTrue(eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children)), children)
        self.assertTrue(eventually(lambda: network_namespaces() <= before[0]))
        self.assertEqual(devices(), before[1])
        again = bench("udp", "--pps", "1k")   # which finds the cgroups that were left, and takes them away
        self.assertIn(again.returncode, (0, INVALID), again)


if __name__ == "__main__":
    unittest.main()
