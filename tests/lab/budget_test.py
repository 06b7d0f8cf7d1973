# SPDX-License-Identifier: GPL-2.0-only
"""Budgets that change while the scheduler runs, on a real kernel: inside/budget_checks.py has the claims."""
import os
import tempfile
import unittest

import guest
from guest import VIRTUAL, WALL, lab, punctual

HERE = os.path.dirname(os.path.abspath(__file__))


class Budgets(unittest.TestCase):
    def check(self, *claims, options):
        ended = lab("python3", "-B", f"{HERE}/inside/budget_checks.py", *claims,
                    options=(*options, "--include", f"{HERE}/inside", "--timeout", "10m"))
        print(ended.out.decode(errors="replace"), ended.err.decode(errors="replace"))
        self.assertEqual(ended.status, 0)

    def test_promises_hold_on_a_real_kernel(self):
        self.check("Command", "Attribute", "Reload", "Limits", "BadInput", options=(*WALL, "--cpus", "2"))

    def test_changes_take_effect_in_time(self):
        # Virtual time: how busy the host is does not matter.
        self.check("Timing", options=(*VIRTUAL, "--cpus", "1"))


class BadInput(unittest.TestCase):
    """What can be said on any machine, without a guest."""

    def assert_refused(self, arguments, *words, env=None):
        ended = punctual(*arguments, env=env)
        self.assertEqual(ended.status, 2, (arguments, str(ended)))
        self.assertEqual(ended.err.count(b"\n"), 1, (arguments, str(ended)))
        for word in words:
            self.assertIn(word.encode(), ended.err)

    def test_mistakes_are_found_on_any_machine(self):
        self.assert_refused(["budget"], "subcommand")
        self.assert_refused(["budget", "set", "vnf.slice"], "DURATION")
        self.assert_refused(["budget", "set", "vnf.slice", "0"], "vnf.slice")
        self.assert_refused(["budget", "set", "vnf.slice", "2s"], "vnf.slice", "1s")
        self.assert_refused(["budget", "set", "vnf.slice", "60us", "--cap", "0%"], "cap of vnf.slice")
        self.assert_refused(["run", "scx_latency", "--floor", "95%"], "floor", "50%")
        self.assert_refused(["run", "scx_latency"], "floor", env={"PUNCTUAL_FLOOR": "0%"})
        self.assert_refused(["run", "scx_latency", "--config", "/no/such.toml"], "/no/such.toml")

    def test_configuration_yields_to_the_environment_and_that_to_flags(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write('floor = "91%"\n')
            file.flush()
            config = {"PUNCTUAL_CONFIG": file.name}
            self.assert_refused(["run", "scx_latency"], f"{file.name}:1", "91%", env=config)
            file.seek(0)
            file.write('floor = "20%"\n')
            file.flush()
            self.assert_refused(["run", "scx_latency"], "92%", env={**config, "PUNCTUAL_FLOOR": "92%"})
            self.assert_refused(["run", "scx_latency", "--floor", "93%"], "93%",
                                env={**config, "PUNCTUAL_FLOOR": "92%"})
            file.write("ceiling = 1\n")
            file.flush()
            self.assert_refused(["run", "scx_latency", "--config", file.name], f"{file.name}:2", "ceiling")


if __name__ == "__main__":
    unittest.main()
