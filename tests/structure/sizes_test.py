# SPDX-License-Identifier: GPL-2.0-only
"""Sizes: a report of the longest, and a failure only where nobody would defend it.

The aims are functions that fit a screen and files that fit a sitting (about 70 and 500 lines); these
limits are deliberately above them.
"""
import ast
import pathlib
import tempfile
import unittest

import tree

FUNCTION_LINES_MAX = 100
FILE_LINES_MAX = 600
REPORTED = 5


def c_functions(text):
    """(name line, length) of each block opened by a brace alone on its line: how functions are formatted."""
    lines = text.split("\n")
    opened = None
    for number, line in enumerate(lines):
        if opened is None and line.strip() == "{" and number > 0:
            opened, closing = number, line.replace("{", "}")
        elif opened is not None and line.rstrip(";") == closing:
            yield lines[opened - 1].strip(), number - opened + 2
            opened = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.end_lineno - node.lineno + 1


def sizes(root):
    """Two lists of (lines, where), longest first: functions and files."""
    functions, files = [], []
    for path in tree.code_files(root):
        text = (root / path).read_text()
        files.append((len(text.splitlines()), str(path)))
        each = python_functions(text) if path.suffix == ".py" else c_functions(text)
        functions += [(length, f"{path}: {name}") for name, length in each]
    return sorted(functions, reverse=True), sorted(files, reverse=True)


def oversized(root):
    functions, files = sizes(root)
    return ([f"{where}: {lines} lines, a function has at most {FUNCTION_LINES_MAX}"
             for lines, where in functions if lines > FUNCTION_LINES_MAX] +
            [f"{where}: {lines} lines, a file has at most {FILE_LINES_MAX}"
             for lines, where in files if lines > FILE_LINES_MAX])


class Sizes(unittest.TestCase):
    def test_nothing_is_beyond_the_limits(self):
        functions, files = sizes(tree.ROOT)
        self.assertGreater(len(functions), 0)
        for title, longest in (("functions", functions), ("files", files)):
            print(f"longest {title}:", *(f"  {lines:4} {where}" for lines, where in longest[:REPORTED]), sep="\n")
        self.assertEqual(oversized(tree.ROOT), [])


class SelfTest(unittest.TestCase):
    def findings(self, name, text):
        with tempfile.TemporaryDirectory() as root:
            tree.plant(root, {name: text})
            return oversized(pathlib.Path(root))

    def test_function_at_the_limit_passes_and_one_line_more_does_not(self):
        def function(lines):
            return "int f()\n{\n" + "\tg();\n" * (lines - 3) + "}\n"
        self.assertEqual(self.findings("src/a.cpp", function(FUNCTION_LINES_MAX)), [])
        self.assertEqual(len(self.findings("src/a.cpp", function(FUNCTION_LINES_MAX + 1))), 1)

    def test_methods_and_python_count_too(self):
        method = "class A {\n\tint f()\n\t{\n" + "\t\tg();\n" * FUNCTION_LINES_MAX + "\t}\n};\n"
        self.assertEqual(len(self.findings("src/a.h", method)), 1)
        python = "def f():\n" + "    pass\n" * FUNCTION_LINES_MAX
        self.assertEqual(len(self.findings("tests/a.py", python)), 1)

    def test_long_file_is_found(self):
        self.assertEqual(self.findings("src/a.cpp", "int x;\n" * FILE_LINES_MAX), [])
        self.assertEqual(len(self.findings("src/a.cpp", "int x;\n" * (FILE_LINES_MAX + 1))), 1)


if __name__ == "__main__":
    unittest.main()
