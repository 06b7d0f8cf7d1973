# SPDX-License-Identifier: GPL-2.0-only
"""Renders the Helm chart, without Helm: the few actions that its templates use, and an error for any other.

    chart.py --write     writes deploy/kubernetes/punctual.yaml, the chart with its default values

An action is {{ WORD... }}: a path (.Values.image, .Release.Namespace), a "text", or a function of toJson, toString, print, list,
concat and sha256sum with such words, or with (...), as arguments. Helm has them all, with this meaning.
"""
import hashlib
import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/kubernetes/chart"
MANIFEST = ROOT / "deploy/kubernetes/punctual.yaml"
HEAD = """\
# SPDX-License-Identifier: GPL-2.0-only
# The chart beside it with its default values, for clusters without Helm; tests/deploy/chart.py wrote it. First:
#     kubectl create namespace punctual
#     kubectl label namespace punctual pod-security.kubernetes.io/enforce=privileged
"""
TOKEN = re.compile(r'\s*(\(|\)|"(?:[^"\\]|\\.)*"|\.[\w.]+|\w+)')
FUNCTIONS = {
    "toJson": lambda value: json.dumps(value, sort_keys=True),
    "toString": str,
    "print": lambda *values: "".join(map(str, values)),
    "list": lambda *values: list(values),
    "concat": lambda *lists: sum(lists, []),
    "sha256sum": lambda text: hashlib.sha256(text.encode()).hexdigest(),
}


def tokens(text):
    found, at = [], 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if not match:
            raise ValueError(f"cannot read {text[at:]!r}")
        found.append(match[1])
        at = match.end()
    return found


def evaluate(words, scope):
    """The value of an action; takes its words from the front, up to a closing bracket."""
    values = []
    function = None
    while words and words[0] != ")":
        word = words.pop(0)
        if word == "(":
            values.append(evaluate(words, scope))
            words.pop(0)   # an IndexError when it is not closed
        elif word.startswith('"'):
            values.append(json.loads(word))
        elif word.startswith("."):
            value = scope
            for part in word.strip(".").split("."):
                value = value[part]
            values.append(value)
        elif function is None and not values:
            function = FUNCTIONS[word]
        else:
            raise ValueError(f"{word} is not understood here")
    return function(*values) if function else values[0]


def rendered(text, scope):
    return re.sub(r"\{\{(.*?)\}\}", lambda match: str(evaluate(tokens(match[1]), scope)), text)


def render(values=None, namespace="punctual"):
    """The manifest as text."""
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    scope = {"Values": {**defaults, **(values or {})}, "Release": {"Namespace": namespace}}
    return "---\n".join(rendered(path.read_text(), scope) for path in sorted((CHART / "templates").glob("*.yaml")))


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: chart.py --write")
    MANIFEST.write_text(HEAD + render())
