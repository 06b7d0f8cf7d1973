# SPDX-License-Identifier: GPL-2.0-only
"""Includes point the way of the arrows in ARCHITECTURE.md, and libbpf stays where it belongs."""
import pathlib
import re
import tempfile
import unittest

import tree

# The folder on the left may include the folders on the right, and itself. No other arrow exists.
ARROWS = {
    "abi": "",
    "policy": "abi",
    "bpf": "abi policy",
    "base": "",
    "measure": "abi base",
    "object": "abi base",
    "scope": "abi base",
    "runq": "abi base measure object",
    "bench": "base measure object runq scope",
    "guard": "base measure",
    "sim": "abi policy base measure",
    "view": "base measure",
    "export": "base measure",
    "serve": "base",
    "lab": "base",
    "cli": "abi policy base measure object scope runq bench guard sim view export serve lab",
}
TOP = ("abi", "policy", "bpf")
USES_LIBBPF = ("object", "runq")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
MODULE = re.compile(r"add_module\((\w+)([^)]*)\)")


def folder_of(path):
    """The folder of the table that a source file belongs to, or None."""
    if path.parts[0] in TOP:
        return path.parts[0]
    if path.parts[0] == "src" and len(path.parts) > 2:
        return path.parts[1]
    return None


def included_folder(root, includer, name):
    """The folder of ours that an include names, or None when it is the system's."""
    for candidate in (includer.parent / name, pathlib.Path("src") / name, pathlib.Path(name)):
        if (root / candidate).is_file():
            return folder_of((root / candidate).resolve().relative_to(root.resolve()))
    return None


def wrong_arrows(root):
    wrong = []
    for path in tree.code_files(root):
        here = folder_of(path)
        if here is None:
            continue
        if here not in ARROWS:
            wrong.append(f"{path}: folder {here} is not in the table of arrows")
            continue
        for mark, name in INCLUDE.findall((root / path).read_text()):
            there = included_folder(root, path, name)
            if there is None and mark == '"':
                wrong.append(f'{path}: "{name}" does not exist')
            elif there is not None and there != here and there not in ARROWS[here].split():
                wrong.append(f"{path}: {here} may not include {there} ({name})")
            if name.startswith("bpf/") and there is None and path.parts[0] == "src" and here not in USES_LIBBPF:
                wrong.append(f"{path}: libbpf ({name}) belongs to {' and '.join(USES_LIBBPF)} only")
    return wrong


def wrong_links(cmake):
    """Modules of src/CMakeLists.txt that link what they may not include."""
    wrong = []
    for name, rest in MODULE.findall(cmake):
        deps = re.search(r"DEPS((?: +\w+)*?)(?: +LIBS| *$)", rest)
        for dep in deps.group(1).split() if deps else []:
            if dep not in ARROWS[name].split():
                wrong.append(f"module {name} links {dep}, which it may not include")
    return wrong


class Arrows(unittest.TestCase):
    maxDiff = None

    def test_includes_follow_the_arrows(self):
        self.assertEqual(wrong_arrows(tree.ROOT), [])

    def test_modules_link_only_what_they_may_include(self):
        self.assertEqual(wrong_links((tree.ROOT / "src/CMakeLists.txt").read_text()), [])

    def test_table_has_no_cycle(self):
        done = set()
        while len(done) < len(ARROWS):
            ready = {name for name, deps in ARROWS.items() if name not in done and set(deps.split()) <= done}
            self.assertTrue(ready, "cycle among " + ", ".join(sorted(set(ARROWS) - done)))
            done |= ready


class SelfTest(unittest.TestCase):
    def findings(self, contents):
        with tempfile.TemporaryDirectory() as root:
            tree.plant(root, contents)
            return wrong_arrows(pathlib.Path(root))

    def test_right_arrows_pass(self):
        self.assertEqual(self.findings({
            "abi/a.h": "#include <stdint.h>\n",
            "policy/p.h": '#include "abi/a.h"\n',
            "src/base/b.h": "",
            "src/base/b.cpp": '#include "base/b.h"\n',
            "src/object/o.cpp": '#include <bpf/libbpf.h>\n#include "abi/a.h"\n',
        }), [])

    def test_wrong_arrow_is_found_however_it_is_spelled(self):
        upward = {"src/view/v.h": "", "src/base/b.cpp": '#include "view/v.h"\n'}
        self.assertEqual(self.findings(upward), ["src/base/b.cpp: base may not include view (view/v.h)"])
        for spelling in ('# include  "../view/v.h"', "#include <view/v.h>", '#include "src/view/v.h"'):
            upward["src/base/b.cpp"] = spelling + "\n"
            self.assertEqual(len(self.findings(upward)), 1, spelling)

    def test_stray_libbpf_and_unknown_folder_are_found(self):
        self.assertEqual(len(self.findings({"src/view/v.cpp": "#include <bpf/bpf.h>\n"})), 1)
        self.assertEqual(len(self.findings({"src/util/u.cpp": ""})), 1)
        self.assertEqual(len(self.findings({"src/base/b.cpp": '#include "base/gone.h"\n'})), 1)

    def test_wrong_link_is_found(self):
        self.assertEqual(wrong_links("add_module(view DEPS base measure LIBS x::y)\nadd_module(base)"), [])
        self.assertEqual(len(wrong_links("add_module(view DEPS base object LIBS x::y)")), 1)
        self.assertEqual(len(wrong_links("add_module(base DEPS view)")), 1)


if __name__ == "__main__":
    unittest.main()
