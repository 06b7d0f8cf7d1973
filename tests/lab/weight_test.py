# SPDX-License-Identifier: GPL-2.0-only
"""cpu.weight under scx_latency: inside/weight_checks.py, in virtual time. KERNEL names another kernel of the lab."""
import os
import unittest

from guest import VIRTUAL, lab

HERE = os.path.dirname(os.path.abspath(__file__))
KERNEL = os.environ.get("KERNEL", "6.18")


class Weight(unittest.TestCase):
    def test_groups_share_by_weight(self):
        ended = lab("python3", "-B", f"{HERE}/inside/weight_checks.py",
                    options=(*VIRTUAL, "--kernel", KERNEL, "--include", f"{HERE}/inside", "--timeout", "10m"))
        print(ended.out.decode(errors="replace"), ended.err.decode(errors="replace"))
        self.assertEqual(ended.status, 0)


if __name__ == "__main__":
    unittest.main()
