# SPDX-License-Identifier: GPL-2.0-only
"""Expressions of rules and dashboards against the metrics that the program really writes."""
import json
import os
import pathlib
import re
import subprocess
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / "deploy/prometheus").glob("punctual.*.yml"))
NODE_METRICS = os.environ.get("NODE_METRICS", str(ROOT / "build/node_metrics"))
# Of Prometheus itself, for each target.
TARGET_METRICS = {"up": set()}
TARGET_LABELS = {"job", "instance", "rollout"}

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
METRIC = re.compile(r"(?<![\w:$])((?:[a-z]+:)?punctual_[a-z_]+(?::[a-z0-9_]+)?|up)(?![\w:(])(?:\{([^}]*)\})?")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? \S+$")


def written(text):
    """Metric -> its labels, of a text in the exposition format."""
    metrics = {}
    for line in text.splitlines():
        sample = SAMPLE.match(line)
        if sample:
            metrics.setdefault(sample[1], set()).update(re.findall(r'(\w+)="', sample[2] or ""))
    return metrics


def program_metrics():
    return written(subprocess.run([NODE_METRICS], capture_output=True, text=True, check=True).stdout)


def rules(paths=RULES):
    return [rule for path in paths for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def known_metrics():
    """What the program writes, and what our recording rules make of it (labels: None, any)."""
    return {**program_metrics(), **TARGET_METRICS, **{rule["record"]: None for rule in rules() if "record" in rule}}


def unknown(expression, known):
    """Metrics in an expression that nobody writes, and labels that they do not have."""
    wrong = []
    # The strings first: a cgroup in them may look like a metric.
    bare = STRING.sub('""', expression)
    for name, matchers in METRIC.findall(bare):
        if name not in known:
            wrong.append(name)
        elif known[name] is not None:
            wrong += [f"{name}{{{label}}}" for label in MATCHER.findall(matchers) if label not in known[name] | TARGET_LABELS]
    return wrong


def syntax_errors(expressions):
    """What promtool says to a file of rules with these expressions; "" when nothing."""
    document = {"groups": [{"name": "expressions", "rules": [
        {"record": f"test:expression_{at}", "expr": text} for at, text in enumerate(expressions)]}]}
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump(document, file)   # JSON is YAML
        file.flush()
        run = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True, check=False)
        return "" if run.returncode == 0 else run.stdout + run.stderr
