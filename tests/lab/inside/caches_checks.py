# SPDX-License-Identifier: GPL-2.0-only
"""scx_latency on a machine of several last-level caches. Runs inside a lab guest with two CPUs, each with its own."""
import os
import subprocess
import sys
import unittest

from running import WAIT_S, Quiet, Running, cpu_of, make_cgroup, wait_for

NR_CPUS = 2


def shared_cpus(cpu):
    with open(f"/sys/devices/system/cpu/cpu{cpu}/cache/index3/shared_cpu_list", encoding="ascii") as file:
        return file.read().strip()


class Caches(Quiet):
    def test_machine_is_served_and_the_verifier_bears_the_loops_over_them(self):
        self.assertEqual([shared_cpus(cpu) for cpu in range(NR_CPUS)], ["0", "1"])
        make_cgroup("vnf.slice")
        with Running("scx_latency", "--slice", "vnf.slice=60us") as run:
            run.wait_enabled()
            self.spinners_spread()
            self.sleeper_is_woken()
            self.assertEqual(run.stop(), 0)

    def spinners_spread(self):
        """Again and again: most of the time they begin on different CPUs."""
        for _ in range(10):
            spinners = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(NR_CPUS)]
            try:   # wherever they begin: a CPU without work comes for that of the other cache
                wait_for(lambda: {cpu_of(spinner.pid) for spinner in spinners} == set(range(NR_CPUS)),
                         "a spinner on each CPU", WAIT_S)
            finally:
                for spinner in spinners:
                    spinner.kill()
                    spinner.wait()

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
