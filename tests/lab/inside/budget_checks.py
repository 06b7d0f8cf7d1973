# SPDX-License-Identifier: GPL-2.0-only
"""What `punctual budget`, the attribute user.latency_ns and the configuration file promise, on a real kernel.
Runs inside a lab guest with two CPUs; the class Timing in one with virtual time."""
import json
import os
import signal
import subprocess
import time
import unittest

from running import Quiet, Running, make_cgroup, ran_ns, wait_for

LACKING, USAGE, FAILED = 3, 2, 1
NOBODY = 65534
MOUNT = "/sys/fs/cgroup/"
ATTRIBUTE = "user.latency_ns"
CLASSES_MAX = 16


def punctual(*arguments, user=None):
    return subprocess.run(["punctual", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=120, user=user)


def budget(*arguments):
    ended = punctual("budget", *arguments)
    assert ended.returncode == 0, ended
    return ended


def budgets():
    """cgroup -> (ns, cap, source), as `budget ls` tells; a removed cgroup has the name ''."""
    rows = json.loads(budget("ls", "--json").stdout)["budgets"]
    return {row["cgroup"]: (row["budget_ns"], row["cap_percent"], row["source"]) for row in rows}


def classes():
    return {row["cgroup"]: row for row in json.loads(punctual("status", "--json").stdout)["classes"]}


def set_attribute(cgroup, value):
    os.setxattr(MOUNT + cgroup, ATTRIBUTE, value.encode())


def set_online(cpu, online):
    with open(f"/sys/devices/system/cpu/cpu{cpu}/online", "w", encoding="ascii") as file:
        file.write(str(online))


class Waker:
    """A process in the cgroup that wakes a thousand times a second."""

    def __init__(self, cgroup):
        self.process = subprocess.Popen(["python3", "-c", "import time\nwhile True: time.sleep(0.001)"])
        with open(f"{MOUNT}{cgroup}/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(self.process.pid))

    def __enter__(self):
        return self.process

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()


class QuietGroups(Quiet):
    """Each test begins and ends with the kernel's own scheduler, and with empty cgroups."""

    def setUp(self):
        super().setUp()
        for cgroup in ("vnf.slice", "voice.slice"):
            make_cgroup(cgroup)

    def tearDown(self):
        super().tearDown()
        for cgroup in ("vnf.slice", "voice.slice"):
            wait_for(lambda name=cgroup: self.remove(name), f"{cgroup} to be empty")

    @staticmethod
    def remove(cgroup):
        try:
            os.rmdir(MOUNT + cgroup)
        except FileNotFoundError:
            pass
        except OSError:
            return False
        return True


class Command(QuietGroups):
    def test_budget_counts_from_set_to_clear(self):
        with Running("scx_latency") as run, Waker("vnf.slice"):
            run.wait_enabled()
            self.assertEqual(classes(), {})
            budget("set", "vnf.slice", "60us")
            wait_for(lambda: classes()["vnf.slice"]["waits"] > 100, "waits of the class")
            self.assertEqual(classes()["vnf.slice"]["budget_ns"], 60_000)
            self.assertEqual(budgets(), {"vnf.slice": (60_000, None, "command")})
            budget("clear", "vnf.slice")
            self.assertEqual((classes(), budgets()), ({}, {}))
            # Cleared for the scheduler too: a class that takes the row over finds none of these waits.
            budget("set", "voice.slice", "5ms")
            time.sleep(0.3)
            self.assertLess(classes()["voice.slice"]["waits"], 10)
            self.assertEqual(run.stop(), 0)

    def test_change_keeps_the_row_and_its_counters(self):
        with Running("scx_latency", "--slice", "vnf.slice=60us") as run:
            run.wait_enabled()
            with Waker("vnf.slice"):
                wait_for(lambda: classes()["vnf.slice"]["waits"] > 100, "waits of the class")
            before = classes()["vnf.slice"]["waits"]
            changed = json.loads(budget("set", "vnf.slice", "2ms", "--cap", "30%", "--json").stdout)["budgets"]
            self.assertEqual([(row["budget_ns"], row["cap_percent"], row["class"]) for row in changed],
                             [(2_000_000, 30, 0)])
            self.assertEqual(classes()["vnf.slice"]["budget_ns"], 2_000_000)
            self.assertGreaterEqual(classes()["vnf.slice"]["waits"], before)
            self.assertEqual(run.stop(), 0)

    def test_list_names_cgroup_budget_cap_and_source(self):
        with Running("scx_latency", "--slice", "vnf.slice=60us", "--cap", "vnf.slice=30%", "--floor", "20%") as run:
            run.wait_enabled()
            set_attribute("voice.slice", "5ms")
            wait_for(lambda: "voice.slice" in budgets(), "the attribute")
            text = budget("ls").stdout
            self.assertRegex(text, r"vnf.slice +60us +30% +command\n")
            self.assertRegex(text, r"voice.slice +5ms +- +user.latency_ns\n")
            self.assertEqual(run.stop(), 0)


class Attribute(QuietGroups):
    def test_budget_follows_its_attribute(self):
        with Running("scx_latency") as run:
            run.wait_enabled()
            for value, ns in (("60000", 60_000), ("70us", 70_000)):
                set_attribute("vnf.slice", value)
                run.wait_line(rf"vnf.slice: {ns // 1000}us by {ATTRIBUTE}$")
                self.assertEqual(budgets(), {"vnf.slice": (ns, None, "attribute")})
            os.removexattr(MOUNT + "vnf.slice", ATTRIBUTE)
            run.wait_line(rf"vnf.slice: none, {ATTRIBUTE} was removed")
            self.assertEqual(budgets(), {})
            self.assertEqual(run.stop(), 0)

    def test_invalid_value_is_refused_once_and_the_old_budget_stays(self):
        set_attribute("vnf.slice", "60000")
        with Running("scx_latency") as run:
            run.wait_line(r"vnf.slice: 60us by ")
            set_attribute("vnf.slice", "\x1b[31msixty")
            run.wait_line(r"vnf.slice: duration '\\x1b\[31msixty'.* is refused, the old budget stays")
            time.sleep(0.5)
            self.assertFalse(run.find("is refused", nr=2), run.lines)
            self.assertEqual(budgets(), {"vnf.slice": (60_000, None, "attribute")})
            self.assertEqual(run.stop(), 0)

    def test_what_was_given_wins(self):
        set_attribute("vnf.slice", "60000")
        with Running("scx_latency", "--slice", "vnf.slice=50us") as run:
            run.wait_line(r"not used: it was given a budget of 50us")
            self.assertEqual(budgets(), {"vnf.slice": (50_000, None, "command")})
            budget("clear", "vnf.slice")   # and without it the attribute has its turn
            run.wait_line(r"vnf.slice: 60us by ")
            self.assert_refused(punctual("budget", "clear", "vnf.slice"), FAILED, f"setfattr -x {ATTRIBUTE}")
            budget("set", "vnf.slice", "55us")
            run.wait_line(r"not used: it was given a budget of 55us")
            self.assertEqual(budgets(), {"vnf.slice": (55_000, None, "command")})
            self.assertEqual(run.stop(), 0)

    def test_owner_of_a_delegated_cgroup_cannot_take_the_cpu(self):
        os.chown(MOUNT + "vnf.slice", NOBODY, NOBODY)
        script = f"import os; os.setxattr('{MOUNT}vnf.slice', '{ATTRIBUTE}', b'60000')"
        subprocess.run(["python3", "-c", script], check=True, user=NOBODY)   # the kernel lets them
        with Running("scx_latency") as run:
            run.wait_line(r"not used: others than root")
            self.assertEqual(budgets(), {})
            self.assertEqual(run.stop(), 0)

    def test_cgroup_made_later_is_found(self):
        with Running("scx_latency") as run:
            run.wait_enabled()
            make_cgroup("vnf.slice/late")
            set_attribute("vnf.slice/late", "60us")
            run.wait_line(r"vnf.slice/late: 60us by ")
            os.rmdir(f"{MOUNT}vnf.slice/late")
            run.wait_line(r"vnf.slice/late: none, the cgroup was removed")
            self.assertEqual(budgets(), {})
            self.assertEqual(run.stop(), 0)


class Reload(QuietGroups):
    def test_budgets_survive_hotplug(self):
        make_cgroup("gone.slice")
        with Running("scx_latency", "--slice", "vnf.slice=60us", "--slice", "gone.slice=1ms") as run:
            run.wait_enabled()
            budget("set", "voice.slice", "5ms", "--cap", "20%")
            budget("set", "vnf.slice", "70us")
            os.rmdir(MOUNT + "gone.slice")
            for nr, online in ((2, 0), (3, 1)):
                set_online(1, online)
                run.wait_enabled(nr)
                self.assertEqual(budgets(), {"vnf.slice": (70_000, None, "command"),
                                             "voice.slice": (5_000_000, 20, "command")})
            self.assertEqual(run.stop(), 0)

    def test_attribute_stays_an_attribute(self):
        set_attribute("vnf.slice", "60us")
        try:
            with Running("scx_latency") as run:
                run.wait_line(r"vnf.slice: 60us by ")
                set_online(1, 0)
                run.wait_enabled(2)
                self.assertEqual(budgets(), {"vnf.slice": (60_000, None, "attribute")})
                set_attribute("vnf.slice", "80us")
                run.wait_line(r"vnf.slice: 80us by ")
                self.assertEqual(run.stop(), 0)
        finally:
            set_online(1, 1)


class Limits(QuietGroups):
    def test_full_table_names_the_limit_and_removed_cgroups_make_room(self):
        names = [f"c{nr}.slice" for nr in range(CLASSES_MAX + 1)]
        for name in names:
            make_cgroup(name)
        with Running("scx_latency") as run:
            run.wait_enabled()
            for name in names[:-1]:
                budget("set", name, "1ms")
            self.assert_refused(punctual("budget", "set", names[-1], "1ms"), FAILED, names[-1], str(CLASSES_MAX))
            budget("set", names[0], "2ms")   # a change needs no room
            os.rmdir(MOUNT + names[3])
            budget("set", names[-1], "1ms")
            self.assertEqual(set(budgets()), set(names) - {names[3]})
            self.assertEqual(run.stop(), 0)
        for name in set(names) - {names[3]}:
            os.rmdir(MOUNT + name)

    def test_limits_that_are_not_kept_are_said(self):
        with open(f"{MOUNT}cgroup.subtree_control", "w", encoding="ascii") as file:
            file.write("+cpu")
        for cgroup in ("vnf.slice", "voice.slice"):
            with open(f"{MOUNT}{cgroup}/cpu.max", "w", encoding="ascii") as file:
                file.write("50000 100000")
        with Running("scx_latency") as run:
            run.wait_line(r"cpu.max is not enforced while scx_latency runs: v\w+.slice has a limit, and 1 more")
            self.assertEqual(run.stop(), 0)


class BadInput(QuietGroups):
    def test_mistakes_are_named_in_one_line(self):
        self.assert_refused(punctual("budget", "ls"), FAILED, "no scheduler is loaded")
        with Running("scx_latency", "--slice", "vnf.slice=60us") as run:
            run.wait_enabled()
            for arguments, code, words in (
                    (["set", "none.slice", "60us"], USAGE, ["none.slice"]),
                    (["set", "vnf.slice", "0"], USAGE, ["vnf.slice", "1us"]),
                    (["set", "vnf.slice", "70us", "--cap", "300%"], USAGE, ["cap of vnf.slice", "200%"]),
                    (["clear", "voice.slice"], FAILED, ["voice.slice", "has no budget"]),
                    (["clear", "none.slice"], USAGE, ["none.slice"])):
                with self.subTest(arguments):
                    self.assert_refused(punctual("budget", *arguments), code, *words)
            self.assert_refused(punctual("budget", "ls", user=NOBODY), LACKING, "root")
            self.assertEqual(budgets(), {"vnf.slice": (60_000, None, "command")})
            self.assertEqual(run.stop(), 0)
        with Running("scx_simple") as run:
            run.wait_enabled()
            self.assert_refused(punctual("budget", "set", "vnf.slice", "60us"), FAILED, "scx_simple")
            self.assertEqual(run.stop(), 0)

    def test_configuration_file_is_read_and_flags_go_before(self):
        with open("a.toml", "w", encoding="ascii") as file:
            file.write('[set]\nslice_ns = "2ms"\n[budgets]\n"vnf.slice" = {latency = "60us", cap = "30%"}\n'
                       '"voice.slice" = "5ms"\n')
        with Running("scx_latency", "--config", "a.toml", "--slice", "/vnf.slice=70us") as run:
            run.wait_enabled()
            self.assertEqual(budgets(), {"vnf.slice": (70_000, 30, "command"),
                                         "voice.slice": (5_000_000, None, "command")})
            self.assertEqual(run.stop(), 0)
        self.assert_refused(punctual("run", "scx_latency", "--cap", "vnf.slice=30%", "--", "true"), USAGE,
                            "vnf.slice has no budget", "--slice")


class Timing(QuietGroups):
    EFFECT_S = 0.1
    CGROUPS = 500

    def waits_after(self, change):
        """What the class has counted by EFFECT_S after the change."""
        with Waker("vnf.slice") as waker:
            time.sleep(0.5)
            change()
            time.sleep(self.EFFECT_S)
            waker.send_signal(signal.SIGSTOP)
            return classes().get("vnf.slice", {}).get("waits", 0)

    def test_changes_take_effect_within_100_ms_on_a_machine_of_500_cgroups(self):
        for nr in range(self.CGROUPS):
            make_cgroup(f"crowd.slice/c{nr % 20}/c{nr}")
        with Running("scx_latency") as run:
            run.wait_enabled()
            self.assertGreater(self.waits_after(lambda: budget("set", "vnf.slice", "1ms")), 0)
            budget("clear", "vnf.slice")
            # At whatever moment of the loop that looks for attributes.
            for nr in range(8):
                time.sleep(0.0137 * nr)
                self.assertGreater(self.waits_after(lambda: set_attribute("vnf.slice", "1ms")), 0, nr)
                os.removexattr(MOUNT + "vnf.slice", ATTRIBUTE)
                run.wait_line("was removed", nr + 1)
            used_before, began = self.cpu_ns(run), time.monotonic()
            time.sleep(5)
            share = (self.cpu_ns(run) - used_before) / ((time.monotonic() - began) * 1e9)
            print(f"run uses {share:.2%} of a CPU beside {self.CGROUPS + 20} cgroups")
            self.assertLess(share, 0.05)
            self.assertEqual(run.stop(), 0)

    @staticmethod
    def cpu_ns(run):
        return ran_ns(run.process.pid)


if __name__ == "__main__":
    unittest.main(verbosity=2)
