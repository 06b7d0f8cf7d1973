# SPDX-License-Identifier: GPL-2.0-only
"""Both built-in schedulers under stress on one kernel: stress.py KERNEL CPUS. See inside/stress_checks.py."""
import os
import sys
import unittest

from guest import WALL, lab

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77


def main(kernel, cpus):
    # The seed is fixed, but time is not: a failure may need several runs to show again.
    try:
        ended = lab("python3", "-B", f"{HERE}/inside/stress_checks.py", f"{kernel} {cpus}",
                    options=(*WALL, "--kernel", kernel, "--cpus", cpus, "--timeout", "4m", "--include", f"{HERE}/inside"))
    except unittest.SkipTest as reason:
        print("skipped:", reason)
        return SKIPPED
    print(ended.out.decode(errors="replace"), ended.err.decode(errors="replace"))
    return 0 if ended.status == 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
