# SPDX-License-Identifier: GPL-2.0-only
"""Breaks one rule of the program at a time, in a copy of the tree, and shows which test notices.

A test that nothing can fail proves nothing. rules.py lists lines that carry the program, how each is
broken, and the test that must fail then.

  python3 tests/rules/run.py           tries all of them
  python3 tests/rules/run.py reserve   those of files whose path contains the word
  python3 tests/rules/run.py --write   puts the table of them into docs/testing.md; breaks nothing

Exit status: 0 each broken rule was noticed by the test that it names, 1 one was not, 2 usage.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from rules import RULES, SOURCES

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/testing.md"
BEGIN = "<!-- from tests/rules/rules.py, by: python3 tests/rules/run.py --write -->"
END = "<!-- end -->"
FLAGS = ["-std=gnu++23", "-O0", "-w", "-I.", "-Isrc", '-DPUNCTUAL_SOURCE_DIR="."']
LIBRARIES = ["-lgtest", "-lgtest_main", "-lfmt", "-lbpf", "-lz", "-lzstd"]
TEST_SECONDS_MAX = 60   # the broken rule may be the one that ends a loop
FAILED = re.compile(r"^\[  FAILED  \] (\w+\.\w+)|^(?:FAIL|ERROR): (\w+) \(", re.MULTILINE)
BEGUN = re.compile(r"^\[ RUN      \] (\w+\.\w+)", re.MULTILINE)


class UnitTest:
    """One test program, kept as objects, so that a broken line costs few compilations."""

    def __init__(self, copy, name):
        self.copy = copy
        self.sources = [name, *SOURCES.get(name, ())]
        self.stale = set(self.sources)

    def failing(self, broken=None):
        """The tests that fail; `broken`: the file that differs from the tree's, a source or a header."""
        changed = {broken} if broken in self.sources else set(self.sources if broken else ())
        for source in self.stale | changed:
            subprocess.run(["g++", *FLAGS, "-c", source, "-o", self.object(source)], cwd=self.copy, check=True)
        self.stale = changed   # compiled from what will be mended after this
        program = str(self.copy / "test")
        subprocess.run(["g++", *map(self.object, self.sources), *LIBRARIES, "-o", program], check=True)
        return run_test([program], self.copy)

    def object(self, source):
        return str(self.copy / source.replace("/", "-")) + ".o"


class ScriptTest:
    def __init__(self, copy, name):
        self.copy = copy
        self.name = name

    def failing(self, _broken=None):
        return run_test([sys.executable, "-B", self.name], self.copy)


def run_test(command, folder):
    """The tests that fail, the one included in which the program dies or does not go on."""
    with tempfile.TemporaryFile("w+") as output:
        try:
            status = subprocess.run(command, cwd=folder, stdout=output, stderr=output, check=False,
                                    timeout=TEST_SECONDS_MAX).returncode
        except subprocess.TimeoutExpired:
            status = -1
        output.seek(0)
        text = output.read()
    failing = {first or second for first, second in FAILED.findall(text)}
    begun = BEGUN.findall(text)
    if status < 0 and begun:
        failing.add(begun[-1])
    return failing


def try_rule(rule, file, copy, test):
    """None, or why the rule is not guarded by the test that it names."""
    path = copy / file
    whole = path.read_text()
    if whole.count(rule.line) != 1:
        return f"its line is there {whole.count(rule.line)} times: {rule.line}"
    path.write_text(whole.replace(rule.line, rule.broken))
    try:
        failing = test.failing(file)
    except subprocess.CalledProcessError:
        return "it does not compile when broken"
    finally:
        path.write_text(whole)
    if rule.fails in failing:
        return None
    return f"not {rule.fails} fails, but: {', '.join(sorted(failing)) or 'nothing'}"


def try_file(file, name, rules):
    """The number of rules that went unnoticed."""
    with tempfile.TemporaryDirectory(prefix="punctual-rules-") as folder:
        copy = pathlib.Path(folder) / "tree"
        shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", "build*", "out"))
        test = UnitTest(copy, name) if name.endswith(".cpp") else ScriptTest(copy, name)
        failing = test.failing()
        if failing:
            print(f"MISSED   {name} fails before anything is broken: {', '.join(sorted(failing))}")
            return len(rules)
        missed = 0
        for rule in rules:
            why = try_rule(rule, file, copy, test)
            missed += why is not None
            print(f"{'MISSED ' if why else 'noticed'}  {file}: {rule.rule}{': ' + why if why else ''}", flush=True)
        return missed


def try_all(word):
    chosen = {place: rules for place, rules in RULES.items() if word in place[0]}
    count = sum(map(len, chosen.values()))
    missed = sum(try_file(file, name, rules) for (file, name), rules in chosen.items())
    print(f"{count - missed} of {count} broken rules were noticed")
    return 1 if missed or not count else 0


def code(text):
    text = " ".join(text.split()).replace("|", "\\|")
    return f"`{text}`" if text else "nothing"


def table():
    """Markdown: for each file one table, in the order of rules.py."""
    lines = []
    for (file, name), rules in RULES.items():
        lines += [f"`{file}`, tested by `{name}`", "", "| rule | line | broken as | test that fails |", "|---|---|---|---|"]
        lines += [f"| {rule.rule} | {code(rule.line)} | {code(rule.broken)} | {rule.fails} |" for rule in rules]
        lines.append("")
    return "\n".join(lines)


def with_table(text):
    """The document with the table as rules.py has it now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


def main(arguments):
    if arguments == ["--write"]:
        DOCUMENT.write_text(with_table(DOCUMENT.read_text()))
        return 0
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    os.nice(10)   # nobody waits for it
    return try_all(arguments[0] if arguments else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
