# SPDX-License-Identifier: GPL-2.0-only
"""Paths and symbols that the documents name exist.

Looked at: links, and text in backticks that is a path (has a suffix of ours or ends in a slash) or an
identifier (has an underscore, ::, () or inner capitals). Text in fenced blocks is output, not a claim.
"""
import pathlib
import re
import tempfile
import unittest

import tree

PATH = re.compile(r"[\w.-]+(/[\w.-]+)*(/|\.(h|c|cpp|bpf\.c|py|md|cmake|toml|json|txt|in|conf|service))|[\w.-]+(/[\w.-]+)+")
IDENTIFIER = re.compile(r"(\w+::)*[A-Za-z]\w*(\(\))?")
TELLING = re.compile(r"_|::|\(\)|[a-z][A-Z]")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
TICKED = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
GENERATED = ("build/", "out/")


def documents(root):
    return [path for path in tree.files(root)
            if path.suffix == ".md" and (len(path.parts) == 1 or path.parts[0] == "docs")]


def path_exists(root, document, name):
    if name.startswith(GENERATED):
        return True
    name = name.rstrip("/")
    places = (root, root / "src", (root / document).parent)
    return any((place / name).exists() for place in places) or \
        ("/" not in name and any(path.name == name for path in tree.files(root)))


def is_path(text):
    """`base/` and `loglin.h` are paths; `p99/p50` and `cpu.weight` are not known to be."""
    match = PATH.fullmatch(text)
    return bool(match) and (text.endswith("/") or match.group(3) is not None or
                            text.split("/")[0] in ("abi", "policy", "bpf", "src", "tests", "scripts", "docs", "cmake"))


def words_of(root):
    words = set()
    for path in tree.files(root):
        if tree.is_source(path):
            words |= set(re.findall(r"\w+", (root / path).read_text()))
            words |= set(path.name.split("."))
    return words


def dangling(root):
    words = words_of(root)
    wrong = []
    for document in documents(root):
        text = FENCE.sub("", (root / document).read_text())
        for target in LINK.findall(text):
            target = target.split("#")[0]
            if target and not re.match(r"[a-z]+:", target) and not ((root / document).parent / target).exists():
                wrong.append(f"{document}: link to {target}")
        for ticked in TICKED.findall(text):
            if is_path(ticked):
                if not path_exists(root, document, ticked):
                    wrong.append(f"{document}: path `{ticked}`")
            elif IDENTIFIER.fullmatch(ticked) and TELLING.search(ticked):
                if not set(re.findall(r"\w+", ticked)) <= words:
                    wrong.append(f"{document}: symbol `{ticked}`")
    return wrong


class Documents(unittest.TestCase):
    maxDiff = None

    def test_what_they_name_exists(self):
        self.assertEqual(dangling(tree.ROOT), [])


class SelfTest(unittest.TestCase):
    def findings(self, text):
        with tempfile.TemporaryDirectory() as root:
            tree.plant(root, {
                "src/base/units.h": "struct CpuList;\nint parse_duration(int budget_ns);\nnamespace punctual {}\n",
                "docs/guide.md": "",
                "README.md": text,
            })
            return dangling(pathlib.Path(root))

    def test_existing_names_pass(self):
        self.assertEqual(self.findings(
            "`src/base/units.h` `base/units.h` `units.h` `base/` `parse_duration()` `CpuList` `punctual::CpuList` "
            "[guide](docs/guide.md#part) [site](https://example.org) `build/punctual` `out/demo.html`"), [])

    def test_ordinary_words_and_output_are_not_claims(self):
        self.assertEqual(self.findings("`make demo` `60us` `/sys/fs/cgroup` `cpu.weight` `EEVDF`\n```\ngone_symbol\n```\n"), [])

    def test_stale_names_are_found(self):
        for stale in ("`src/base/gone.h`", "`gone.h`", "`gone/`", "`src/gone`", "`gone_symbol`", "`gone()`", "`GoneType`",
                      "`CpuList::gone_`", "[guide](docs/gone.md)"):
            self.assertEqual(len(self.findings(stale)), 1, stale)


if __name__ == "__main__":
    unittest.main()
