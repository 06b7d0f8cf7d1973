# SPDX-License-Identifier: GPL-2.0-only
"""scx_latency on a machine of several last-level caches. Runs inside a lab guest with two CPUs, each with its own."""
import os
import subprocess
import sys
import unittest

from running import WAIT_S, Quiet, Running, make_cgroup, wait_for

NR_CPUS = 2


def shared_cpus(cpu):
    with open(f"/sys/devices/system/cpu/cpu{cpu}/cache/index3/shared_cpu_list", encoding="ascii") as file:
        return file.read().strip()


def ran_ns(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


class Caches(Quiet):
    def test_machine_is_served_and_the_verifier_bears_the_loops_over_them(self):
        self.assertEqual([shared_cpus(cpu) for cpu in range(NR_CPUS)], ["0", "1"])
        make_cgroup("vnf.slice")
        with Running("scx_latency", "--slice", "vnf.slice=60us") as run:
            run.wait_enabled()
            spinners = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(NR_CPUS)]
            try:
                for spinner in spinners:
                    began_ns = ran_ns(spinner.pid)
                    wait_for(lambda: ran_ns(spinner.pid) > began_ns + 20_000_000, "each spinner to run", WAIT_S)
                self.sleeper_is_woken()
            finally:
                for spinner in spinners:
                    spinner.kill()
                    spinner.wait()
            self.assertEqual(run.stop(), 0)

    def sleeper_is_woken(self):
        script = "echo 0 > /sys/fs/cgroup/vnf.slice/cgroup.procs; for i in $(seq 100); do sleep 0.002; done"
        subprocess.run(["sh", "-c", script], check=True, timeout=WAIT_S)


class Hotplug(Quiet):
    def test_cpu_that_is_offline_has_no_cache_of_its_own(self):
        with open("/sys/devices/system/cpu/cpu1/online", "w", encoding="ascii") as online:
            online.write("0")
        with Running("scx_latency") as run:
            run.wait_enabled()
            with open("/sys/devices/system/cpu/cpu1/online", "w", encoding="ascii") as online:
                online.write("1")
            run.wait_enabled(2)
            self.assertEqual(run.stop(), 0)


if __name__ == "__main__":
    assert os.cpu_count() == NR_CPUS
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)
