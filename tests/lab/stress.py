# SPDX-License-Identifier: GPL-2.0-only
"""Both built-in schedulers under stress on one kernel: stress.py KERNEL CPUS TIME SECONDS. See inside/stress_checks.py.
TIME is wall or virtual: virtual takes ten seconds or more for one, and wants one CPU."""
import os
import sys
import unittest

import guest
from guest import lab

HERE = os.path.dirname(os.path.abspath(__file__))
FORKS = os.path.join(os.path.dirname(os.path.abspath(guest.PUNCTUAL)), "forks")
SKIPPED = 77
# In wall time the host may leave a CPU of the guest alone for long, so the kernel's watchdog has all the time that it may
# have; in virtual time it has little. There the storm gets what it needs for its 5,000 a second.
WATCHDOG = {"wall": "30s", "virtual": "2s"}
STORM_NICE = {"wall": "0", "virtual": "-10"}


def stress(kernel, cpus, time, seconds):
    """How the guest ended; raises SkipTest without QEMU or a kernel."""
    # The seed is fixed, but wall time is not: a failure may need several runs to show again.
    return lab("python3", "-B", f"{HERE}/inside/stress_checks.py", f"{kernel} {cpus}", seconds, WATCHDOG[time], STORM_NICE[time],
               options=("--time", time, "--settle", "0s", "--kernel", kernel, "--cpus", cpus, "--include", f"{HERE}/inside",
                        "--include", FORKS, "--env", f"FORKS={FORKS}", "--memory", "2G", "--timeout", "90m"))


def main(kernel, cpus, time="wall", seconds="20"):
    try:
        ended = stress(kernel, cpus, time, seconds)
    except unittest.SkipTest as reason:
        print("skipped:", reason)
        return SKIPPED
    print(ended.out.decode(errors="replace"), ended.err.decode(errors="replace"), f"status {ended.status}")
    return 0 if ended.status == 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
