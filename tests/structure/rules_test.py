# SPDX-License-Identifier: GPL-2.0-only
"""The rules that tests/rules/run.py breaks are those of the code as it is, and docs/testing.md lists them.

Breaking them takes minutes and is not done here.
"""
import re
import sys
import unittest

import tree

sys.path.insert(0, str(tree.ROOT / "tests/rules"))
import run  # noqa: E402
from rules import RULES, SOURCES  # noqa: E402


def test_names(path):
    text = (tree.ROOT / path).read_text()
    return {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F)?\((\w+), (\w+)\)", text, re.MULTILINE)} | \
        set(re.findall(r"^    def (test_\w+)", text, re.MULTILINE))


class Rules(unittest.TestCase):
    maxDiff = None

    def test_each_stands_in_the_code_once(self):
        wrong = [f"{file}: {rule.rule}: {rule.line}" for (file, _), rules in RULES.items() for rule in rules
                 if (tree.ROOT / file).read_text().count(rule.line) != 1]
        self.assertEqual(wrong, [], "a line has changed: break the new one in tests/rules/rules.py, then run.py --write")

    def test_each_is_guarded_by_a_test_that_exists(self):
        wrong = [f"{name}: {rule.fails}" for (_, name), rules in RULES.items() for rule in rules
                 if rule.fails not in test_names(name)]
        self.assertEqual(wrong, [])

    def test_each_is_really_broken(self):
        self.assertEqual([rule.rule for rules in RULES.values() for rule in rules if rule.line == rule.broken], [])

    def test_sources_of_the_tests_exist(self):
        self.assertEqual([path for paths in SOURCES.values() for path in paths if not (tree.ROOT / path).is_file()], [])

    def test_every_policy_header_has_some(self):
        headers = {str(path) for path in tree.files() if path.parts[0] == "policy" and path.suffix == ".h"}
        self.assertEqual(headers - {file for file, _ in RULES}, set())

    def test_document_has_the_table(self):
        text = run.DOCUMENT.read_text()
        self.assertEqual(text, run.with_table(text), "out of date: python3 tests/rules/run.py --write")


if __name__ == "__main__":
    unittest.main()
