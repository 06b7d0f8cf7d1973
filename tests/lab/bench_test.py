# SPDX-License-Identifier: GPL-2.0-only
"""What `punctual bench --lab` promises: repeatable figures, packets that add up, every arm, clear refusals."""
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from guest import LACKING, PUNCTUAL, lab, punctual

USAGE = 2
EJECTED = 5
SHORT = ("--duration", "150ms", "--warmup", "50ms", "--settle", "100ms")
SPIN = (*SHORT, "--background", "spin")
SPIN_LONGER = ("--duration", "150ms", "--warmup", "150ms", "--settle", "100ms", "--background", "spin")
TELEMETRY = pathlib.Path(__file__).parents[2] / "workloads/telemetry.py"
SCX_SIMPLE = pathlib.Path(PUNCTUAL).parent / "scx_simple.bpf.o"


@functools.cache   # so nobody may change it
def bench(*options):
    """Runs a bench in the lab, once, and returns the JSON document. Without QEMU or a kernel the test is skipped."""
    ended = punctual("bench", "--lab", "--json", *options)
    if ended.status == LACKING:
        raise unittest.SkipTest(ended.err.decode().strip())
    if ended.status != 0:
        raise AssertionError(str(ended))
    return json.loads(ended.out)


class Repeatable(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = bench("--arms", "eevdf,fifo,eevdf", *SPIN)

    def test_an_arm_named_twice_gives_two_equal_rows(self):
        first, _, last = self.document["arms"]
        self.assertEqual(first, last)

    def test_an_arm_alone_gives_the_figures_that_it_gave_among_others(self):
        alone = bench("--arms", "eevdf", *SPIN)
        self.assertEqual(alone["arms"][0], self.document["arms"][0])
        self.assertEqual(alone["environment"], self.document["environment"])

    def test_another_seed_gives_other_figures(self):
        other = bench("--arms", "eevdf", "--seed", "2", *SPIN)
        self.assertNotEqual(other["arms"][0]["histogram"], self.document["arms"][0]["histogram"])

    def test_nothing_is_counted_unless_asked_for(self):
        for arm in self.document["arms"]:
            self.assertNotIn("counters", arm)

    def test_the_schedulers_are_told_apart(self):
        eevdf, fifo, _ = self.document["arms"]
        # Milliseconds behind two spinners against a real-time task: any mix-up of arms shows here.
        self.assertLess(10 * fifo["p99_ns"], eevdf["p99_ns"])
        self.assertEqual(fifo["dropped"], 0)
        self.assertGreater(eevdf["background_work"], fifo["background_work"])
        self.assertEqual(eevdf["background_relative"], 1)

    def test_both_sides_together_fill_the_cpu_and_no_more(self):
        for arm in self.document["arms"]:
            used = (arm["vnf_cpu_ns"] + arm["background_cpu_ns"]) / arm["window_ns"]
            self.assertGreater(used, 0.97, arm["name"])
            # The packet function may run on after the window until its ring is empty.
            self.assertLess(used, 1.06, arm["name"])


class SeveralCpus(unittest.TestCase):
    """CPUs side by side in virtual time; bench itself demands that two boots of each arm agree."""

    @classmethod
    def setUpClass(cls):
        cls.fifo, cls.latency = bench("--cpus", "0-3", "--arms", "fifo,scx_latency=60us", *SPIN_LONGER)["arms"]

    def test_a_wakeup_on_busy_cpus_takes_microseconds(self):
        self.assertLess(self.fifo["p99_ns"], 15_000)   # CPUs that take turns: milliseconds
        self.assertEqual(self.fifo["dropped"], 0)

    def test_the_budget_is_kept_on_busy_cpus(self):
        self.assertLessEqual(self.latency["waits_missed"], self.latency["waits"] / 1000)
        self.assertLessEqual(self.latency["p99_ns"], 60_000)
        self.assertLessEqual(self.latency["p999_ns"], 70_000)   # of nine packets in this short window
        self.assertEqual(self.latency["dropped"], 0)

    def test_all_cpus_work_all_the_time(self):
        for arm in (self.fifo, self.latency):
            used = (arm["vnf_cpu_ns"] + arm["background_cpu_ns"]) / arm["window_ns"]
            self.assertGreater(used, 0.97 * 4, arm["name"])
            self.assertLess(used, 1.03 * 4, arm["name"])


class CpusApart(unittest.TestCase):
    def test_the_packet_function_has_a_cpu_of_its_own_and_the_background_the_other(self):
        arm = bench("--cpus", "0-1", "--arms", "cpuset", *SPIN)["arms"][0]
        self.assertEqual(arm["dropped"], 0)
        self.assertLess(arm["p99_ns"], 15_000)    # nobody else is there
        self.assertLess(arm["vnf_cpu_ns"] / arm["window_ns"], 0.9)
        self.assertAlmostEqual(arm["background_cpu_ns"] / arm["window_ns"], 1, delta=0.03)    # and not on the other half


class Arms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.names = ["eevdf-slice", "eevdf-weight", "eevdf-nice", "eevdf-idle", "deadline", "scx_simple", "scx_latency=60us", str(SCX_SIMPLE)]
        cls.page = tempfile.NamedTemporaryFile(suffix=".html")
        cls.document = bench("--arms", ",".join(cls.names), "--counters", "--html", cls.page.name, *SHORT)
        cls.arms = {arm["name"]: arm for arm in cls.document["arms"]}

    @classmethod
    def tearDownClass(cls):
        cls.page.close()

    def test_rows_come_in_the_order_that_was_asked_for(self):
        self.assertEqual([arm["name"] for arm in self.document["arms"]], self.names)

    def test_every_packet_was_served_or_dropped(self):
        for name, arm in self.arms.items():
            self.assertEqual(arm["offered"], 60_000 * 150 // 1000, name)
            self.assertEqual(arm["offered"], arm["delivered"] + arm["dropped"], name)
            self.assertEqual(arm["delivered"], sum(bucket["count"] for bucket in arm["histogram"]), name)
            self.assertEqual(arm["lost"], 0, name)

    def test_telemetry_made_progress_under_every_arm(self):
        for name, arm in self.arms.items():
            self.assertGreater(arm["background_work"], 0, name)
        self.assertRegex(self.document["environment"]["python"], r"^3\.\d+\.\d+$")

    def test_the_scheduler_that_was_measured_is_the_one_that_was_asked_for(self):
        self.assertEqual(self.arms["eevdf-nice"]["scheduler"], "")
        self.assertIn("latency", self.arms["scx_latency=60us"]["scheduler"])
        self.assertEqual(self.arms["scx_latency=60us"]["budget_ns"], 60_000)
        self.assertIn("simple", self.arms["scx_simple"]["scheduler"])

    def test_counters_agree_with_what_each_side_noted_of_itself(self):
        for name, arm in self.arms.items():
            for side in ("vnf", "background"):
                counted = arm["counters"][side]
                switches = arm[f"{side}_voluntary_switches"] + arm[f"{side}_involuntary_switches"]
                self.assertLessEqual(abs(counted["context_switches"] - switches), 5 + switches // 100, (name, side))
                # The CPU clock of a process has the switches too, which are not short here.
                self.assertLessEqual(counted["task_clock_ns"], arm[f"{side}_cpu_ns"], (name, side))
                self.assertGreater(counted["task_clock_ns"], 0.6 * arm[f"{side}_cpu_ns"], (name, side))
                self.assertEqual(counted["migrations"], 0, (name, side))
                self.assertIsNone(counted["cycles"])    # an emulated CPU has no counters
            self.assertEqual(arm["counters"]["vnf"]["page_faults"], 0, name)    # its memory is locked
            self.assertGreater(arm["counters"]["vnf_ns_per_packet"], 2500, name)

    def test_a_foreign_object_is_loaded_like_a_built_in_one(self):
        builtin, foreign = self.arms["scx_simple"], self.arms[str(SCX_SIMPLE)]
        self.assertEqual(foreign["scheduler"], builtin["scheduler"])

    def test_the_page_needs_nothing_but_itself(self):
        text = pathlib.Path(self.page.name).read_text(encoding="utf-8")
        self.assertIn("scx_latency=60us", text)
        self.assertIn("<svg", text)
        self.assertIsNone(re.search(r"""(src|href)=["']?(https?:)?//""", text))


class Starts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = bench("--arms", "eevdf,fifo", "--starts", "2", *SPIN)

    def test_the_first_is_the_bench_that_it_would_be_alone_and_the_second_another(self):
        first, second = self.document["starts"]
        self.assertEqual(first["arms"][0], bench("--arms", "eevdf", *SPIN)["arms"][0])
        self.assertNotEqual(first["arms"][0]["histogram"], second["arms"][0]["histogram"])
        self.assertEqual([start["environment"]["seed"] for start in (first, second)], ["1", "2"])

    def test_two_pairs_are_compared_but_get_no_verdict(self):
        self.assertEqual([question["metric"] for question in self.document["questions"]], ["p99", "p99.9", "background work"])
        for question in self.document["questions"]:
            self.assertEqual((question["arm"], question["pairs"], question["verdict"]), ("fifo", 2, "inconclusive"))
        p99 = self.document["questions"][0]
        ratios = [start["arms"][1]["p99_ns"] / start["arms"][0]["p99_ns"] for start in self.document["starts"]]
        self.assertAlmostEqual(p99["ratio"], (ratios[0] * ratios[1]) ** 0.5, places=6)


class Refusals(unittest.TestCase):
    """A line that names what is wrong, and the exit code, before anything boots."""

    def refuse(self, named, *options, status=USAGE):
        ended = punctual("bench", *options)
        self.assertEqual(ended.status, status, ended)
        self.assertEqual(ended.out, b"")
        lines = ended.err.decode().splitlines()
        self.assertEqual(len(lines), 1, ended)
        self.assertIn(named, lines[0])

    def test_arms(self):
        self.refuse("'cfs'", "--lab", "--arms", "eevdf,cfs")
        self.refuse("budget", "--lab", "--arms", "scx_latency=0")
        self.refuse("budget", "--lab", "--arms", "scx_latency=8760h")
        self.refuse("missing.bpf.o", "--lab", "--arms", "missing.bpf.o")

    def test_load(self):
        self.refuse("--ring", "--lab", "--ring", "0")
        self.refuse("--rx-usecs", "--lab", "--rx-usecs", "-1")
        self.refuse("cpuset", "--lab", "--arms", "cpuset")
        self.refuse("'many'", "--lab", "--pps", "many")
        self.refuse("--duration", "--lab", "--duration", "1us")
        self.refuse("background", "--lab", "--background", "java")
        self.refuse("--starts 0", "--lab", "--starts", "0")
        self.refuse("--margin", "--lab", "--starts", "2", "--margin", "-5%")
        self.refuse("packets", "--lab", "--pps", "1G", "--duration", "1h")

    def test_lab_and_files(self):
        self.refuse("4.19", "--lab", "--kernel", "4.19")
        self.refuse("--lab", "--kernel", "6.18")
        self.refuse("/nowhere/page.html", "--lab", "--html", "/nowhere/page.html")

    def test_an_object_that_is_none_is_refused_inside_and_told_outside(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "garbage.bpf.o")
            path.write_bytes(b"this is not an object")
            ended = punctual("bench", "--lab", "--arms", str(path), *SPIN)
            if ended.status == LACKING:
                self.skipTest(ended.err.decode().strip())
            self.assertEqual(ended.status, USAGE, ended)
            self.assertIn("garbage.bpf.o", ended.err.decode().splitlines()[-1])


class Invalid(unittest.TestCase):
    def test_a_scheduler_that_leaves_during_the_window_gives_an_error_and_no_figures(self):
        ended = lab("sh", "-c", "punctual bench --json --arms scx_simple --background spin --settle 100ms --duration 3s &"
                    "sleep 2; punctual unload >&2; wait $!", options=("--settle", "0s"))
        self.assertEqual(ended.status, EJECTED, ended)
        self.assertEqual(ended.out, b"")
        self.assertIn("scx_simple was ejected", ended.err.decode())


class Telemetry(unittest.TestCase):
    def test_it_runs_by_hand(self):
        ended = subprocess.run([sys.executable, "-B", TELEMETRY, "0.2"], capture_output=True, text=True, check=True,
                               env={"PATH": os.environ["PATH"]})
        batches = float(re.match(r"([\d.]+) batches/s", ended.stdout).group(1))
        self.assertGreater(batches, 0)


if __name__ == "__main__":
    unittest.main()
