# SPDX-License-Identifier: GPL-2.0-only
"""Rules and alerts: promtool takes them, its tests pass, and they name metrics that the program writes."""
import re
import subprocess
import sys
import unittest

import yaml

import expressions
from expressions import ROOT

sys.path.insert(0, str(ROOT / "tests/serve"))
import server  # noqa: E402  pylint: disable=wrong-import-position

FOLDER = ROOT / "deploy/prometheus"
TESTS = sorted((ROOT / "tests/deploy/prometheus").glob("*_test.yml"))


def promtool(*words):
    return subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, check=False, cwd=FOLDER)


class Rules(unittest.TestCase):
    maxDiff = None

    def test_promtool_takes_rules_and_configuration(self):
        for run in (promtool("check", "rules", *expressions.RULES), promtool("check", "config", "prometheus.yml")):
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_units_of_promtool_pass(self):
        run = promtool("test", "rules", *TESTS)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_they_name_metrics_and_labels_that_the_program_writes(self):
        known = expressions.known_metrics()
        for rule in expressions.rules():
            self.assertEqual(expressions.unknown(rule["expr"], known), [], rule)

    def test_every_alert_fires_in_a_test_and_stays_silent_in_one(self):
        fired = set()
        for path in TESTS:
            for test in yaml.safe_load(path.read_text())["tests"]:
                fired |= {check["alertname"] for check in test.get("alert_rule_test", []) if check["exp_alerts"]}
        self.assertEqual(fired, {rule["alert"] for rule in expressions.rules() if "alert" in rule})

    def test_every_alert_tells_what_to_do_and_how_urgent_it_is(self):
        for rule in expressions.rules():
            if "alert" in rule:
                self.assertIn(rule["labels"]["severity"], ("critical", "warning", "info"), rule["alert"])
                self.assertTrue(rule["annotations"]["summary"] and rule["annotations"]["description"], rule["alert"])

    def test_the_configuration_reads_all_rule_files(self):
        config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
        self.assertEqual(sorted(config["rule_files"]), [path.name for path in expressions.RULES])

    def test_commands_that_annotations_name_exist(self):
        shown = subprocess.run([server.PUNCTUAL, "--help"], capture_output=True, text=True, check=True).stdout
        for rule in expressions.rules():
            for name in re.findall(r"`punctual (\w+)", rule.get("annotations", {}).get("description", "")):
                self.assertRegex(shown, rf"(?m)^  {name} ", rule["alert"])


class Program(unittest.TestCase):
    def test_a_server_that_runs_writes_no_metric_that_the_tests_do_not_know(self):
        with server.Server("--no-runq") as running:
            status, _, body = running.ask("/metrics")
        self.assertEqual(status, 200)
        scraped = expressions.written(body.decode())
        self.assertIn("punctual_scheduler_enabled", scraped)
        known = expressions.program_metrics()
        self.assertLessEqual(set(scraped), set(known))
        self.assertEqual({name: labels for name, labels in scraped.items() if not labels <= known[name]}, {})

    def test_its_metrics_are_those_of_the_documentation(self):
        table = (ROOT / "docs/serve.md").read_text()
        documented = {name for row in re.findall(r"^\| (`punctual_.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
        base = {re.sub(r"_(bucket|sum|count)$", "", name) for name in expressions.program_metrics()}
        self.assertEqual(base, documented)


class SelfTest(unittest.TestCase):
    def test_a_metric_or_a_label_that_nobody_writes_is_found(self):
        known = expressions.known_metrics()
        for text, wrong in (("rate(punctual_class_missed_total[5m]) > 0", []),
                            ("rate(punctual_class_misses_total[5m]) > 0", ["punctual_class_misses_total"]),
                            ('punctual_class_waits_total{slice="a"}', ["punctual_class_waits_total{slice}"]),
                            ('punctual_guard_held{instance="punctual_gone"}', []),
                            ("fleet:punctual_gone:ratio", ["fleet:punctual_gone:ratio"]),
                            ("sum by (le) (punctual_runq_latency_seconds)", ["punctual_runq_latency_seconds"])):
            self.assertEqual(expressions.unknown(text, known), wrong, text)

    def test_a_syntax_error_is_found(self):
        self.assertEqual(expressions.syntax_errors(["up == 1"]), "")
        self.assertIn("parse error", expressions.syntax_errors(["up == 1", "sum by (le (up)"]))


if __name__ == "__main__":
    unittest.main()
