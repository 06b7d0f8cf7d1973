# SPDX-License-Identifier: GPL-2.0-only
"""Every header compiles alone: the reader of one need not know what to include before it. Of one that its own .cpp includes
first the build shows that, and it is not compiled again."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import tree

CXX = ["g++", "-std=gnu++23", "-fsyntax-only", "-x", "c++", "-Wall", "-Wextra", "-Werror"]
# A part of a scheduler may define a callback that only the whole uses.
BPF = ["clang-19", "-target", "bpf", "-mcpu=v3", "-std=gnu23", "-fsyntax-only", "-x", "c", "-Wall",
       "-Wno-unused-function", "-Werror"]


def is_shown_by_the_build(root, path):
    source = (root / path).with_suffix(".cpp")
    if path.parts[0] != "src" or not source.exists():
        return False
    first = re.search(r'^#include (.*)$', source.read_text(), re.MULTILINE)
    return first is not None and first[1] == f'"{path.relative_to("src")}"'


def compilers_for(path):
    """abi and policy are read by both sides, bpf by the kernel side, src by the user side."""
    return {"abi": (CXX, BPF), "policy": (CXX, BPF), "bpf": (BPF,), "src": (CXX,)}.get(path.parts[0], ())


def complaint(root, path, compiler):
    """None, or what the compiler says about a file that includes only this header."""
    run = subprocess.run([*compiler, "-I", str(root), "-I", str(root / "src"), "-"],
                         input=f'#include "{root / path}"\n', capture_output=True, text=True, check=False)
    return f"{path} does not stand alone for {compiler[0]}:\n{run.stderr}" if run.returncode else None


def complaints(root):
    jobs = [(root, path, compiler) for path in tree.files(root) if path.suffix == ".h"
            and not is_shown_by_the_build(root, path) for compiler in compilers_for(path)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [text for text in pool.map(lambda job: complaint(*job), jobs) if text]


class Headers(unittest.TestCase):
    def test_every_header_stands_alone(self):
        self.assertEqual("\n".join(complaints(tree.ROOT)), "")


class SelfTest(unittest.TestCase):
    def findings(self, contents):
        with tempfile.TemporaryDirectory() as root:
            tree.plant(root, contents)
            return complaints(pathlib.Path(root))

    def test_leaning_header_is_found_on_each_side(self):
        self.assertEqual(len(self.findings({"src/base/leans.h": "#pragma once\nstd::string name();\n"})), 1)
        self.assertEqual(len(self.findings({"policy/leans.h": "#pragma once\nstatic inline u64 f(void) { return 0; }\n"})), 2)
        self.assertEqual(len(self.findings({"bpf/leans.h": "#pragma once\nvoid f(u64 x);\n"})), 1)

    def test_header_that_its_source_includes_first_is_left_to_the_build(self):
        leaning = "#pragma once\nstd::string name();\n"
        self.assertEqual(self.findings({"src/base/a.h": leaning, "src/base/a.cpp": '#include "base/a.h"\n'}), [])
        self.assertEqual(len(self.findings({"src/base/a.h": leaning, "src/base/a.cpp": '#include <string>\n#include "base/a.h"\n'})), 1)

    def test_header_for_one_side_only_is_found(self):
        # Shared headers must be valid C and C++: no implicit conversion from void*, no class.
        self.assertEqual(len(self.findings({"abi/c_only.h": "static inline int *f(void *p) { return p; }\n"})), 1)
        self.assertEqual(len(self.findings({"abi/cpp_only.h": "class a;\n"})), 1)

    def test_complete_header_passes(self):
        self.assertEqual(self.findings({
            "abi/a.h": "#pragma once\ntypedef unsigned long long u64;\n",
            "policy/p.h": '#pragma once\n#include "abi/a.h"\nstatic inline u64 f(u64 x) { return x; }\n',
            "src/base/b.h": "#pragma once\n#include <string>\nstd::string name();\n",
        }), [])


if __name__ == "__main__":
    unittest.main()
