# SPDX-License-Identifier: GPL-2.0-only
"""What `punctual rollout` promises, on a real kernel. Runs inside a lab guest with two CPUs. The guest is emulated, so the
rules here are such that the host's load cannot decide them."""
import json
import os
import re
import signal
import subprocess
import unittest

from running import make_cgroup, sched_ext, wait_disabled, wait_for

REGRESSION, INCONCLUSIVE, INTERRUPTED = 10, 11, 130
RECORD = "/var/lib/punctual/rollout.json"
CGROUPS = "/sys/fs/cgroup"
SHORT = ["--settle", "10ms", "--warmup", "10ms", "--pps", "2000", "--background", "spin"]
LOAD = [*SHORT, "--soak", "300ms", "--pairs", "6"]
ONE_PAIR = [*SHORT, "--soak", "100ms", "--pairs", "1"]
KEEP, REVERT = ["--keep-if", "p99 <= 1000x and drop <= 100%"], ["--keep-if", "p99 <= 0.000001x"]


def cgroups():
    return [name for name in os.listdir(CGROUPS) if name in ("vnf.slice", "telemetry.slice")]


class Rollout:
    """One `punctual rollout`, with its lines on stderr as they come."""

    started = []

    def __init__(self, *arguments):
        self.started.append(self)
        self.process = subprocess.Popen(["punctual", "rollout", *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said = ""

    def wait_for_line(self, pattern):
        for line in self.process.stderr:
            self.said += line
            if re.search(pattern, line):
                return
        raise AssertionError(f"no line {pattern} in:\n{self.said}")

    def kill(self, number):
        self.process.send_signal(number)
        return self.end()

    def end(self):
        """The status and what was on stdout."""
        out, err = self.process.communicate(timeout=300)
        self.said += err
        return self.process.returncode, out


class Case(unittest.TestCase):
    def setUp(self):
        self.assert_eevdf()
        self.assertFalse(os.path.exists(RECORD))

    def tearDown(self):   # one that failed must not fail the others
        for rollout in Rollout.started:
            rollout.process.kill()
            rollout.process.communicate()
        Rollout.started.clear()
        wait_disabled()
        if os.path.exists(RECORD):
            os.unlink(RECORD)

    def assert_eevdf(self):
        self.assertEqual((sched_ext("state"), cgroups()), ("disabled", []))

    def run_to_end(self, *arguments):
        rollout = Rollout(*arguments)
        status, out = rollout.end()
        return status, out, rollout.said

    def end_of_killed(self):
        """What a kill -9 leaves at most: empty cgroups, which the next start removes."""
        wait_disabled()
        for name in cgroups():
            wait_for(lambda name=name: not os.path.exists(f"{CGROUPS}/{name}/cgroup.procs") or
                     open(f"{CGROUPS}/{name}/cgroup.procs", encoding="ascii").read() == "", f"an empty {name}")


class Kept(Case):
    def test_killed_at_every_stage_it_is_taken_up_and_kept_in_the_end(self):
        rollout = Rollout("scx_latency=60us", "--cpus", "0-1", "--counters", *LOAD, *KEEP)
        stages = [r"step 1 of 2 \(cpus 0\), run 4 .*EEVDF|step 1 of 2 \(cpus 0\), run 3 .*EEVDF",
                  r"step 1 of 2 \(cpus 0\), run \d+ .*scx_latency",
                  r"step 2 of 2 \(cpus 0-1\), run 5 "]
        for stage in stages:
            rollout.wait_for_line(stage)
            if "scx_latency" in stage:   # not before, but while it is loaded
                wait_for(lambda: sched_ext("state") == "enabled", "the scheduler of that run")
            rollout.kill(signal.SIGKILL)
            self.end_of_killed()
            rollout = Rollout("--resume", "--json")
            rollout.wait_for_line("going on with scx_latency=60us at step")
        rollout.wait_for_line("rollout: punctual run scx_latency")
        rollout.wait_for_line("enabled on cpus 0-1")
        self.assertEqual(cgroups(), [])
        rollout.process.kill()   # the process that holds it: the kernel falls back
        _, out = rollout.end()
        wait_disabled()
        document = json.loads(out)
        self.assertEqual((document["schema"], document["outcome"]), ("punctual.rollout", "kept"))
        self.assertEqual([(step["cpus"], step["verdict"], len(step["pairs"])) for step in document["steps"]],
                         [("0", "holds", 6), ("0-1", "holds", 6)])
        self.assert_counted(document)   # also after what was read back from the record
        # It was kept, so taking it up keeps it again, without another measurement.
        rollout = Rollout("--resume")
        rollout.wait_for_line("enabled on cpus 0-1")
        self.assertNotIn("run 1 of", rollout.said)
        self.assertEqual(rollout.kill(signal.SIGTERM)[0], 0)
        self.assert_eevdf()


    def assert_counted(self, document):
        """In each run both sides have what the kernel counts itself; what an emulated CPU does not count is null and not 0."""
        switches = 0   # one that is behind for a whole run does not sleep in it
        for pair in (pair for step in document["steps"] for pair in step["pairs"]):
            for run in pair.values():
                counters = run["counters"]
                for side in ("vnf", "background"):
                    counted = counters[side]
                    self.assertEqual([counted[name] for name in ("cycles", "instructions", "cache_misses")], [None] * 3)
                    self.assertGreater(counted["task_clock_ns"], 0)
                    for name in ("context_switches", "migrations", "page_faults"):
                        self.assertGreaterEqual(counted[name], 0, name)
                self.assertGreater(counters["vnf_ns_per_packet"], 2500)   # the work alone
                self.assertGreater(counters["both_ns_per_packet"], counters["vnf_ns_per_packet"])
                switches += counters["vnf"]["context_switches"]
        self.assertGreater(switches, 0)


class Reverted(Case):
    def test_a_rule_that_fails_ends_with_eevdf_and_a_report(self):
        status, out, _ = self.run_to_end("scx_simple", "--steps", "all", *LOAD, *REVERT, "--counters", "-o",
                                     "/tmp/report.html")
        self.assertEqual(status, REGRESSION)
        self.assertIn("reverted, EEVDF runs", out)
        self.assertRegex(out, r"task-clock ms +CPU ns/packet +cycles +instructions")
        for name in ("EEVDF", "scheduler"):
            self.assertRegex(out, rf"(?m)^{name} +packets +\d[\d.]* +\d[\d,]* +not supported +not supported +not supported +\d")
        with open("/tmp/report.html", encoding="utf-8") as page:
            text = page.read()
        self.assertIn("p99 &lt;= 0.000001x", text)
        self.assertIn("CPU ns/packet", text)
        self.assert_eevdf()


class Interrupted(Case):
    def test_the_next_start_says_what_it_found_and_cleans_up(self):
        rollout = Rollout("scx_simple", "--steps", "all", *LOAD)
        rollout.wait_for_line("run 2 of 12")
        status, out = rollout.kill(signal.SIGINT)
        self.assertEqual(status, INTERRUPTED, rollout.said)
        self.assertIn("interrupted, EEVDF runs", out)
        self.assert_eevdf()
        rollout = Rollout("--resume")
        rollout.wait_for_line("run 2 of 12|run 3 of 12")
        rollout.kill(signal.SIGKILL)
        self.end_of_killed()
        status, out, said = self.run_to_end("scx_simple", "--steps", "all", *ONE_PAIR)
        self.assertIn("found one that did not end, scx_simple at step 1, run", said)
        self.assertEqual(status, INCONCLUSIVE, said)   # one pair shows nothing, and nothing is never kept
        self.assertIn("not kept, as nothing was shown; EEVDF runs", out)
        self.assert_eevdf()


class OwnLoad(Case):
    def test_waits_of_the_named_cgroup_and_cpu_time_of_the_other_are_compared(self):
        workers = []
        for name, command in (("front.slice", "while :; do sleep 0.002; done"), ("back.slice", "while :; do :; done")):
            make_cgroup(name)
            workers.append(subprocess.Popen(["sh", "-c", f"echo $$ > {CGROUPS}/{name}/cgroup.procs; {command}"]))
        status, out, said = self.run_to_end("scx_latency", "--slice", "front.slice=1ms", "--background-cgroup", "back.slice",
                                            "--json", *SHORT, "--steps", "all", "--soak", "500ms", "--pairs", "1")
        for worker in workers:
            worker.kill()
            worker.wait()
        self.assertEqual(status, INCONCLUSIVE, said)
        pair = json.loads(out)["steps"][0]["pairs"][0]
        for side in pair.values():
            self.assertGreater(side["nr"], 0)
            self.assertGreater(side["p99_ns"], 0)
            self.assertGreater(side["background"], 0)
        self.assertEqual(sched_ext("state"), "disabled")


if __name__ == "__main__":
    unittest.main(verbosity=2)
