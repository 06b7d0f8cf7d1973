# SPDX-License-Identifier: GPL-2.0-only
"""Real packets on a kernel with sched_ext, and a loss forced in each of the kernel's counters: every packet is in one of
them, and in one only. Runs inside a lab guest with two CPUs, the second for the generator.

No latency is asserted. A host that is busy may make the generator too slow or too late: such a run says so and is repeated."""
import ctypes
import fcntl
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import unittest

from running import wait_for
from wire_account import ARMS, INVALID, LOADS, OVERDRIVEN, bench_command, stages_in

TC = os.environ.get("TC", "/sbin/tc")   # busybox has one that knows less
RUNS_MAX = 3
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
SIOCETHTOOL, ETHTOOL_STSO, ETHTOOL_SGRO = 0x8946, 0x1f, 0x2c   # linux/sockios.h, linux/ethtool.h
GENERATOR_CPU = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def children_of(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


def namespaces_of(pid):
    """Network namespaces that a process holds by descriptors, as paths that can be opened."""
    found = {}
    for path in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            link = os.readlink(path)
        except OSError:
            continue
        if link.startswith("net:["):
            found[link] = path
    return list(found.values())


def check(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def inside_network_of(path, action):
    """Runs `action` in a process of its own, in that network namespace and with a /sys of it. Its result: was it true?"""
    child = os.fork()
    if child == 0:
        status = 2
        try:
            namespace = os.open(path, os.O_RDONLY)
            check(LIBC.setns(namespace, CLONE_NEWNET))
            check(LIBC.unshare(CLONE_NEWNS))
            subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)
            status = 0 if action() else 1
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 2:
        raise AssertionError("what was to be done in a network namespace failed")
    return status == 0


def has_device(name):
    return lambda: os.path.exists(f"/sys/class/net/{name}")


def add_shaper(device):
    """A queueing discipline that lets some forty packets of 106 bytes a second pass, and holds what 0.4 s take at most."""
    def action():
        subprocess.run([TC, "qdisc", "add", "dev", device, "root", "tbf", "rate", "32kbit", "burst", "1600", "limit", "1600"],
                       check=True)
        return True
    return action


def steer(device):
    """Its packets are to be taken in by CPU 0."""
    def action():
        pathlib.Path(f"/sys/class/net/{device}/queues/rx-0/rps_cpus").write_text("1", encoding="ascii")
        return True
    return action


def set_feature(device, command, value):
    """As ethtool -K does."""
    class Value(ctypes.Structure):
        _fields_ = [("command", ctypes.c_uint32), ("data", ctypes.c_uint32)]
    wanted = Value(command, value)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCETHTOOL, struct.pack("16sP", device.encode(), ctypes.addressof(wanted)))


def send_single_packets(device):
    """None that is to be cut later: only such go through the ring of the other end."""
    def action():
        set_feature(device, ETHTOOL_STSO, 0)
        return True
    return action


def take_in_by_a_thread(device):
    """Its packets come through a ring, and a thread empties that, when the generator leaves it the CPU: a burst does not."""
    def action():
        set_feature(device, ETHTOOL_SGRO, 1)
        pathlib.Path(f"/sys/class/net/{device}/threaded").write_text("1", encoding="ascii")
        threads = [int(path.parent.name) for path in pathlib.Path("/proc").glob("[0-9]*/comm")
                   if path.read_text(encoding="ascii").startswith(f"napi/{device}")]
        for thread in threads:
            os.sched_setaffinity(thread, {GENERATOR_CPU})
        return len(threads) == 1
    return action


class Wire(unittest.TestCase):
    def account(self, process):
        """The arm of a bench that has been started, and the account of its packets. When a busy host makes the generator the
        limit, the figures are invalid and the arm is None, but every packet is accounted for all the same."""
        out, said = process.communicate(timeout=300)
        self.assertNotIn("not accounted for", said)
        if process.returncode == INVALID and "generator-limited" in said:
            print(said.strip(), flush=True)
            packets = stages_in(said)
            self.assertEqual(packets["residue"], 0)
            return None, packets
        self.assertEqual(process.returncode, 0, said)
        arm = json.loads(out)["arms"][0]
        packets = arm["packets"]
        self.assertEqual(packets["residue"], 0)
        self.assertEqual(packets["window_scheduled"], arm["offered"])
        self.assertEqual(packets["window_delivered"], arm["delivered"])
        return arm, packets

    def start(self, command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        def end():   # one that failed must not be in the way of the others
            process.kill()
            process.communicate()
            wait_for(lambda: not any(pathlib.Path("/sys/fs/cgroup", name).exists() and
                                     pathlib.Path("/sys/fs/cgroup", name, "cgroup.procs").read_text(encoding="ascii")
                                     for name in ("vnf.slice", "telemetry.slice")), "the end of its processes")
        self.addCleanup(end)
        return process

    def undisturbed(self, command):
        for _ in range(RUNS_MAX):
            arm, _ = self.account(self.start(command))
            if arm:
                return arm
        self.skipTest(f"the generator was the limit in {RUNS_MAX} runs: this host is too busy")

    def test_every_packet_under_sched_ext_and_without(self):
        for plane in ("udp", "recvmmsg", "af_packet"):
            for arm in ARMS:
                with self.subTest(plane=plane, arm=arm):
                    got = self.undisturbed(bench_command(plane, arm, *LOADS["carried"]))
                    self.assertGreater(got["delivered"], 0)
                    self.assertIn("latency" if "scx" in arm else "", got["scheduler"])

    # The rest: a loss forced in one stage is found there. The bench is stopped before it opens the gate, to set that up.
    def forced(self, stage, actions, *options):
        """`actions`: what is to be done, by the device in whose namespace."""
        process = self.start(bench_command("udp", "eevdf", "--duration", "2s", *options, settle="6s"))
        # Sink, packet function, generator and background: all run, so the network stands, and the bench settles.
        wait_for(lambda: process.poll() is not None or len(children_of(process.pid)) == 5, "a network")
        process.send_signal(signal.SIGSTOP)
        self.assertIsNone(process.poll(), "it ended before")
        for device, action in actions.items():
            spaces = [path for path in namespaces_of(process.pid) if inside_network_of(path, has_device(device))]
            self.assertEqual(len(spaces), 1)
            self.assertTrue(inside_network_of(spaces[0], action))
        process.send_signal(signal.SIGCONT)
        _, packets = self.account(process)
        print(f"{stage}: {packets[stage]}", flush=True)
        self.assertGreater(packets[stage], 0, packets)

    def test_loss_in_a_queueing_discipline_on_the_way_in(self):
        self.forced("to_function_qdisc", {"generator": add_shaper("generator")}, "--pps", "1k")

    def test_loss_in_a_queueing_discipline_on_the_way_out(self):
        self.forced("to_sink_qdisc", {"forward": add_shaper("forward")}, "--pps", "1k")

    def test_loss_in_the_ring_of_a_device(self):
        self.forced("to_function_veth", {"generator": send_single_packets("generator"), "receive": take_in_by_a_thread("receive")},
                    "--pps", "1k", "--arrivals", "bursts:1024")

    def test_loss_in_the_backlog_of_a_cpu(self):
        limit = pathlib.Path("/proc/sys/net/core/netdev_max_backlog")
        self.addCleanup(limit.write_text, limit.read_text(encoding="ascii"), encoding="ascii")
        limit.write_text("1", encoding="ascii")   # of the machine as a whole; a namespace has none
        self.forced("to_function_backlog", {"receive": steer("receive")}, "--pps", "1k", "--arrivals", "bursts:64")

    def test_loss_in_the_socket_and_in_the_mapped_ring(self):
        for plane, stage in (("udp", "to_function_socket"), ("af_packet", "to_function_ring")):
            with self.subTest(plane=plane):
                process = self.start(bench_command(plane, "eevdf", *LOADS["overload"]))
                _, packets = self.account(process)
                print(f"{stage}: {packets[stage]}", flush=True)
                self.assertGreater(packets[stage], 0)

    def test_an_overdriven_generator_is_called_invalid(self):
        process = self.start(bench_command("udp", "eevdf", *OVERDRIVEN))
        out, said = process.communicate(timeout=300)
        self.assertEqual((process.returncode, out), (INVALID, ""), said)
        self.assertIn("generator-limited", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
