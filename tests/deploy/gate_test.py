# SPDX-License-Identifier: GPL-2.0-only
"""The gate of a roll-out: how often its test is wrong, what it finds, and its questions to a real Prometheus."""
import contextlib
import io
import json
import math
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock
import urllib.request

import expressions

sys.path.insert(0, str(expressions.ROOT / "deploy/ansible"))
import gate  # noqa: E402  pylint: disable=wrong-import-position

MARGIN, ALPHA = 0.2, 0.05


def changes(draw, number, shift=0.0, noise=0.1):
    return [draw.gauss(shift, noise) for _ in range(number)]


def verdicts(nr_treated, nr_control, shift, runs, noise=0.1):
    """How often each verdict was given, over so many fleets of hosts that differ by chance."""
    draw = random.Random(7)
    counts = {}
    for _ in range(runs):
        verdict = gate.judge(changes(draw, nr_treated, shift, noise), changes(draw, nr_control, 0, noise), MARGIN, ALPHA)[0]
        counts[verdict] = counts.get(verdict, 0) + 1
    return counts


class Test(unittest.TestCase):
    def test_p_is_exact_for_few_hosts(self):
        self.assertAlmostEqual(gate.permutation_p([3, 4], [1, 2]), 1 / 6)
        self.assertAlmostEqual(gate.permutation_p([1, 2], [3, 4]), 1)
        self.assertAlmostEqual(gate.permutation_p([5], list(range(5)) + [-9] * 14), 1 / 20)

    def test_equal_values_are_no_finding(self):
        self.assertEqual(gate.permutation_p([1] * 5, [1] * 5), 1)

    def test_draws_agree_with_the_exact_answer(self):
        a, b = [0.5, 0.1, 0.9, 0.4], [0.2, 0.3, 0.0, 0.1, 0.6, 0.2, 0.3, 0.25]
        exact = gate.permutation_p(a, b)
        with unittest.mock.patch.object(gate, "DRAWS", 400):
            self.assertAlmostEqual(gate.permutation_p(a, b), exact, delta=4 * math.sqrt(exact / 400))

    def test_without_any_effect_worse_is_said_in_no_more_than_five_of_a_hundred_fleets(self):
        # Far less, because the estimate has to exceed the margin, too.
        self.assertLessEqual(verdicts(4, 5, 0, 400, noise=0.5).get("worse", 0), 20 + 13)   # + 3 standard deviations

    def test_a_rise_of_the_margin_itself_passes_in_no_more_than_five_of_a_hundred_fleets(self):
        self.assertLessEqual(verdicts(4, 5, math.log1p(MARGIN), 400).get("fine", 0), 20 + 13)

    def test_a_doubled_p99_is_found_and_no_change_passes(self):
        self.assertGreaterEqual(verdicts(4, 5, math.log(2), 100).get("worse", 0), 95)
        self.assertGreaterEqual(verdicts(4, 5, 0, 100, noise=0.04).get("fine", 0), 95)

    def test_a_canary_can_be_judged_beside_nineteen_hosts_and_not_beside_fewer(self):
        self.assertLessEqual(gate.least_p(1, 19), ALPHA)
        self.assertGreater(gate.least_p(1, 18), ALPHA)


class FakePrometheus:
    """Values by host and by time, for what cannot be had from a server: hosts that are silent."""

    def __init__(self, value_of, silent=(), faulty=()):
        self.value_of, self.silent, self.faulty = value_of, silent, faulty

    def at(self, expression, when):
        if expression.startswith("histogram_quantile"):
            return {host: self.value_of(host, when) for host in HOSTS if host not in self.silent}
        return {host: 1 for host in self.faulty}

    def over(self, _expression, start, end, step):
        moments = [start + at * step for at in range(int((end - start) / step) + 1)]
        return {host: {moment: self.value_of(host, moment) for moment in moments} for host in HOSTS if host not in self.silent}


HOSTS = [f"node-{at}:9766" for at in range(24)]
STARTED = 1_700_000_000


def asked(prometheus, treated, control, *more):
    options = gate.arguments(["--prometheus", "http://127.0.0.1:1", "--started", str(STARTED), "--settle", "60", "--window", "600",
                              "--treated", *treated, "--control", *control, *more])
    return gate.gate(prometheus, options)


def noisy(ratio_of):
    """Hosts of very different levels, a load that doubles for all, and `ratio_of(host)` after the start."""
    def value(host, when):
        draw = random.Random(f"{host} {when}")
        level = 1e-5 * (1 + HOSTS.index(host)) * (2 if when > STARTED else 1)
        return level * math.exp(draw.gauss(0, 0.03)) * (ratio_of(host) if when > STARTED else 1)
    return value


class Gate(unittest.TestCase):
    def test_a_load_that_rises_for_all_is_no_finding(self):
        answer = asked(FakePrometheus(noisy(lambda host: 1)), HOSTS[:4], HOSTS[4:])
        self.assertEqual((answer["verdict"], answer["measures"][0]["samples"]), ("fine", "hosts"))

    def test_treated_hosts_that_wait_longer_are(self):
        answer = asked(FakePrometheus(noisy(lambda host: 1.6 if host in HOSTS[:4] else 1)), HOSTS[:4], HOSTS[4:])
        self.assertEqual(answer["verdict"], "worse")
        self.assertAlmostEqual(answer["measures"][0]["ratio"], 1.6, delta=0.1)

    def test_few_hosts_are_judged_by_blocks_of_time(self):
        fine = asked(FakePrometheus(noisy(lambda host: 1)), HOSTS[:1], HOSTS[1:3])
        worse = asked(FakePrometheus(noisy(lambda host: 1.6 if host == HOSTS[0] else 1)), HOSTS[:1], HOSTS[1:3])
        self.assertEqual((fine["verdict"], fine["measures"][0]["samples"]), ("fine", "blocks of time"))
        self.assertEqual(worse["verdict"], "worse")

    def test_a_fault_of_a_treated_host_needs_no_statistics_and_one_of_a_control_host_is_none(self):
        value = noisy(lambda host: 1)
        answer = asked(FakePrometheus(value, faulty=[HOSTS[0]]), HOSTS[:4], HOSTS[4:])
        self.assertEqual(answer["verdict"], "worse")
        self.assertIn(f"{HOSTS[0]} falls back", answer["faults"])
        self.assertEqual(asked(FakePrometheus(value, faulty=[HOSTS[9]]), HOSTS[:4], HOSTS[4:])["verdict"], "fine")

    def test_a_treated_host_without_data_gets_no_verdict(self):
        answer = asked(FakePrometheus(noisy(lambda host: 1), silent=[HOSTS[2]]), HOSTS[:4], HOSTS[4:])
        self.assertEqual((answer["verdict"], answer["measures"][0]["missing"]), ("no data", [HOSTS[2]]))

    def test_noise_that_hides_the_margin_is_unclear_and_not_fine(self):
        def value(host, when):
            return 1e-4 * math.exp(random.Random(f"{host} {when}").gauss(0, 0.6))
        self.assertEqual(asked(FakePrometheus(value), HOSTS[:4], HOSTS[4:9])["verdict"], "unclear")

    def test_a_host_on_both_sides_is_refused(self):
        with self.assertRaises(SystemExit) as ended, contextlib.redirect_stderr(io.StringIO()) as said:
            asked(FakePrometheus(None), HOSTS[:2], HOSTS[1:3])
        self.assertEqual(ended.exception.code, 2)
        self.assertIn(HOSTS[1], said.getvalue())


def openmetrics(hosts, seconds, step, started, treated, rise):
    """Counters of hosts, one wait each 10 ms: 10 % of a control host's are longer than 1 ms, rise times that of a treated one."""
    lines = ["# TYPE punctual_runq_latency_seconds counter", "# TYPE punctual_cgroup_runq_latency_seconds counter",
             "# TYPE punctual_scheduler_enabled gauge", "# TYPE up gauge"]
    slow = {host: 0.0 for host in hosts}
    for second in range(0, seconds, step):
        at = started - seconds // 2 + second
        for host in hosts:
            bad = host in treated and at > started
            slow[host] += step * 0.05 * (rise if bad else 1)
            for name, label in (("punctual_runq_latency_seconds", 'kind="wakeup"'),
                                ("punctual_cgroup_runq_latency_seconds", 'cgroup="/vnf.slice/a.service"')):
                for le, count in (("0.001", 100 * second), ("0.1", 100 * second + slow[host] * 10), ("+Inf", 100 * second + slow[host] * 10)):
                    lines.append(f'{name}_bucket{{instance="{host}",job="punctual",{label},le="{le}"}} {count} {at}')
            lines.append(f'punctual_scheduler_enabled{{instance="{host}",job="punctual"}} {int(host in treated)} {at}')
            lines.append(f'up{{instance="{host}",job="punctual"}} 1 {at}')
    # A counter's samples are to be in one place each.
    head, samples = lines[:4], lines[4:]
    return "\n".join([line for kind in head for line in [kind, *sorted(
        (sample for sample in samples if sample.startswith(kind.split()[2])), key=lambda sample: sample.rsplit(" ", 1)[0].rsplit("}", 1)[0])]]
        + ["# EOF", ""])


@contextlib.contextmanager
def prometheus(folder):
    """A server over what is in folder/data; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "none.yml").write_text("{}\n")
    with open(folder / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(["prometheus", f"--config.file={folder}/none.yml", f"--storage.tsdb.path={folder}/data",
                                    f"--web.listen-address={address}", "--storage.tsdb.retention.time=10y"], stderr=log)
        try:
            for _ in range(600):
                with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}/-/ready", timeout=5) as answer:
                    if answer.status == 200:
                        break
                time.sleep(0.1)
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(timeout=60)


class RealPrometheus(unittest.TestCase):
    def test_its_questions_are_understood_and_find_what_was_planted(self):
        hosts = [f"node-{at}:9766" for at in range(6)]
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "in").write_text(openmetrics(hosts, 2600, 15, STARTED, hosts[:3], 10))
            subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", folder / "in", folder / "data"], check=True,
                           capture_output=True)
            with prometheus(folder) as url:
                def run(treated, control):
                    out = io.StringIO()
                    with contextlib.redirect_stdout(out):
                        status = gate.main(["--prometheus", url, "--started", str(STARTED), "--settle", "60", "--window", "900",
                                            "--cgroup", "/vnf.slice", "--treated", *treated, "--control", *control])
                    return status, json.loads(out.getvalue())
                status, answer = run(hosts[:3], hosts[3:])
                self.assertEqual((status, answer["verdict"], answer["faults"]), (10, "worse", []), answer)
                self.assertEqual([row["measure"] for row in answer["measures"]], ["all", "/vnf.slice"])
                # Control hosts as if they were treated: alike, but without a scheduler.
                status, answer = run(hosts[3:4], hosts[4:])
                self.assertEqual({row["verdict"] for row in answer["measures"]}, {"fine"}, answer)
                self.assertEqual(answer["faults"], [f"{hosts[3]} runs no sched_ext scheduler"])

    def test_nobody_there_is_a_clear_error(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            status = gate.main(["--prometheus", "http://127.0.0.1:1", "--started", str(STARTED), "--treated", "a", "--control", "b"])
        self.assertEqual(status, 1)
        self.assertIn("http://127.0.0.1:1", said.getvalue())


class Expressions(unittest.TestCase):
    def test_they_name_metrics_that_the_program_writes(self):
        known = expressions.known_metrics()
        for text in [*gate.MEASURES.values(), *gate.FAULTS.values()]:
            self.assertEqual(expressions.unknown(text.replace("$window", "5m"), known), [], text)


if __name__ == "__main__":
    unittest.main()
