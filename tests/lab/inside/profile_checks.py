# SPDX-License-Identifier: GPL-2.0-only
"""`punctual profile` against totals that it does not measure itself. One CPU in virtual time, where an instruction is a
nanosecond: a callback of known instructions takes known time, and what the machine as a whole loses to a scheduler shows in
how much slower two processes wake each other."""
import json
import os
import signal
import statistics
import subprocess
import tempfile
import time
import unittest

from running import Running, wait_for

PINGPONG, FORKS, OBJECTS = os.environ["PINGPONG"], os.environ["FORKS"], os.environ["OBJECTS"]
KNOWN_WORK = f"{OBJECTS}/known_work.bpf.o"
HARDEN = "/proc/sys/net/core/bpf_jit_harden"
SAME = 0.05      # what two totals may differ by, of the larger
ONE_LOAD = 0.12  # between two loads of a scheduler: a start was seen that shifted a round trip by 100 ns; enqueue alone is 40 %
SAMPLED = 0.08   # where one is by 2000 samples: three standard errors of a share of a half are 7 % of it
USAGE, INTERRUPTED = 2, 130
WINDOW = "150ms"
LOADS = 3


def profile(*options):
    # With all of the CPU that it can get: its preparations take a second of it.
    ended = subprocess.run(["punctual", "profile", "--json", *options], capture_output=True, text=True, check=False,
                           preexec_fn=lambda: os.nice(-20))
    if ended.returncode != 0:
        raise AssertionError(f"status {ended.returncode}: {ended.stderr}")
    return json.loads(ended.stdout)


def by_callback(document):
    return {row["callback"]: row for row in document["callbacks"]}


def ns_a_run(document, callback):
    row = by_callback(document)[callback]
    return row["run_ns"] / row["runs"]


class Load:
    """A program that runs meanwhile."""

    def __init__(self, *argv, **options):
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(argv, stdout=self.output, **options)
        time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        self.output.close()

    def lines(self):
        self.output.seek(0)
        return [tuple(map(int, line.split())) for line in self.output.read().splitlines() if len(line.split()) == 2]


def forks():
    """As many processes as the machine manages."""
    counts = os.memfd_create("forks")
    os.ftruncate(counts, 4096)
    return Load(FORKS, "100000", str(counts), "0", pass_fds=(counts,))


class Trips:
    """A window in which nobody idles: what a round trip took, and what the profile says of it."""

    def __init__(self):
        with Load(PINGPONG, "600") as load:
            self.document = profile("-d", WINDOW, "-f", "1")
            lines = load.lines()
        begin, elapsed = self.document["begin_ns"], self.document["elapsed_ns"]
        inside = [line for line in lines if begin <= line[0] <= begin + elapsed]
        (first_ns, first), (last_ns, last) = inside[0], inside[-1]
        self.trip_ns = (last_ns - first_ns) / (last - first)
        self.callbacks_ns = self.document["callbacks_ns"] / elapsed * self.trip_ns


def under(scheduler, measure, *options):
    """What `measure` returns while the scheduler is loaded."""
    with Running(scheduler, *options) as running:
        wait_for(lambda: any("enabled" in line for line in running.lines), f"{scheduler} to be enabled")
        found = measure()
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(60)
    return found


def assert_same(test, one, other, tolerance=SAME):
    print(f"{test.id()}: {one:.1f} and {other:.1f}", flush=True)
    test.assertLess(abs(one - other), tolerance * max(one, other))


class ForeignObject(unittest.TestCase):
    """A scheduler of somebody else, of whose callbacks the instructions are known."""

    @classmethod
    def setUpClass(cls):
        def measure():
            trips = Trips()
            with Load(PINGPONG, "600"):
                return trips, profile("-d", "20ms", "-p", str(by_callback(trips.document)["running"]["id"]))
        cls.short, cls.of_running = under(KNOWN_WORK, measure)
        cls.long = under(KNOWN_WORK, Trips, "--set", "enqueue_steps=201", "--set", "running_steps=101", "--set",
                         "stopping_steps=51")

    def test_all_callbacks_are_found_and_counted(self):
        self.assertEqual(set(by_callback(self.long.document)), {"enqueue", "running", "stopping", "init_task"})
        self.assertEqual(self.long.document["scheduler"], "known_work")
        runs = [row["runs"] for row in self.long.document["callbacks"] if row["callback"] != "init_task"]
        self.assertLess(max(runs) - min(runs), 4)   # one of each a wakeup

    def test_one_program_is_measured_alone_by_its_id(self):
        rows = self.of_running["callbacks"]
        self.assertEqual([(row["callback"], row["program"]) for row in rows], [("running", "known_running")])
        self.assertGreater(rows[0]["runs"], 100)

    def test_a_callback_takes_as_many_nanoseconds_as_instructions(self):
        for callback, steps in (("running", 101), ("stopping", 51)):
            assert_same(self, ns_a_run(self.long.document, callback), 3 * steps)
        assert_same(self, ns_a_run(self.long.document, "enqueue") - ns_a_run(self.short.document, "enqueue"), 3 * 200)

    def test_all_together_are_what_the_machine_loses_to_them(self):
        assert_same(self, self.long.callbacks_ns - self.short.callbacks_ns, self.long.trip_ns - self.short.trip_ns)


class Latency(unittest.TestCase):
    """The kernel can be told to blind constants in BPF programs, which makes the same programs longer."""

    def test_what_all_callbacks_gain_is_what_the_machine_loses(self):
        self.addCleanup(self.harden, 0)
        callbacks_ns, trip_ns = [], []
        for level in (0, 2):
            self.harden(level)
            # In which of several ways its timers and the ticks meet differs from load to load.
            trips = under("scx_latency", lambda: [Trips() for _ in range(LOADS)])
            callbacks_ns.append(statistics.median(each.callbacks_ns for each in trips))
            trip_ns.append(statistics.median(each.trip_ns for each in trips))
            print([(round(each.callbacks_ns), round(each.trip_ns)) for each in trips], flush=True)
        self.assertGreater(callbacks_ns[1], 1.1 * callbacks_ns[0])   # there is something to compare
        assert_same(self, callbacks_ns[1] - callbacks_ns[0], trip_ns[1] - trip_ns[0], ONE_LOAD)

    @staticmethod
    def harden(level):
        with open(HARDEN, "w", encoding="ascii") as file:
            file.write(str(level))


class Samples(unittest.TestCase):
    def test_samples_of_a_program_are_as_many_as_its_statistics_say(self):
        def measure():
            with forks(), tempfile.TemporaryDirectory() as folder:
                document = profile("-d", "400ms", "-f", "5k", "--folded", f"{folder}/folded")
                with open(f"{folder}/folded", encoding="ascii") as folded:
                    return document, folded.read()
        document, folded = under(KNOWN_WORK, measure, "--set", "init_task_steps=100000")
        self.assertRegex(folded, r";bpf_prog_[0-9a-f]{16}_known_init_task \d")
        self.assertEqual(document["lost"], 0)
        statistics_ns = by_callback(document)["init_task"]["run_ns"]
        self.assertGreater(statistics_ns, document["elapsed_ns"] / 2)
        assert_same(self, document["weights"]["bpf_scheduler"], statistics_ns, SAMPLED)

    def test_without_a_scheduler_it_is_the_kernels_own(self):
        with Load(PINGPONG, "600"):
            document = profile("-d", WINDOW, "-f", "2k")
        self.assertIsNone(document["scheduler"])
        self.assertEqual(document["callbacks"], [])
        self.assertEqual(document["weights"]["bpf_scheduler"] + document["weights"]["sched_ext_core"], 0)
        self.assertGreater(document["weights"]["kernel_scheduler"], 0.1 * document["weights"]["all"])
        # By the clock of the CPU the samples stand for all of the time.
        assert_same(self, document["weights"]["all"], document["elapsed_ns"])


class Ends(unittest.TestCase):
    def test_unknown_program_is_named(self):
        ended = subprocess.run(["punctual", "profile", "-p", "4294967295"], capture_output=True, text=True, check=False)
        self.assertEqual(ended.returncode, USAGE)
        self.assertIn("no BPF program 4294967295", ended.stderr)

    def test_interrupted_it_prints_what_it_has(self):
        process = subprocess.Popen(["punctual", "profile", "-d", "1h"], stdout=subprocess.PIPE, text=True)
        time.sleep(2)   # beyond its preparations
        process.send_signal(signal.SIGINT)
        out = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, INTERRUPTED)
        self.assertIn("(interrupted)", out)
        self.assertIn("samples of 1 CPU", out)

if __name__ == "__main__":
    unittest.main(verbosity=2)
