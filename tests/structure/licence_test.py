# SPDX-License-Identifier: GPL-2.0-only
"""Every source file says its licence within its first lines."""
import pathlib
import tempfile
import unittest

import tree

LINES = 3
MARK = "SPDX-License-Identifier: GPL-2.0"   # abi and policy may add "OR ..." for the kernel side


def unmarked(root):
    return [str(path) for path in tree.files(root)
            if tree.is_source(path) and MARK not in "".join((root / path).read_text().splitlines(True)[:LINES])]


class Licence(unittest.TestCase):
    def test_every_source_file_names_it(self):
        self.assertEqual(unmarked(tree.ROOT), [])

    def test_full_text_is_there(self):
        self.assertIn("GNU GENERAL PUBLIC LICENSE\n                       Version 2", (tree.ROOT / "LICENSE").read_text())


class SelfTest(unittest.TestCase):
    def test_unmarked_file_is_found_wherever_it_is(self):
        with tempfile.TemporaryDirectory() as root:
            tree.plant(root, {
                "src/base/marked.cpp": f"// {MARK}-only\n",
                "src/base/late.cpp": "\n" * LINES + f"// {MARK}-only\n",
                "scripts/unmarked": "#!/bin/bash\n",
                "CMakeLists.txt": "project(x)\n",
                "README.md": "no source\n",
                "build/generated.cpp": "int x;\n",
            })
            self.assertEqual(unmarked(pathlib.Path(root)), ["CMakeLists.txt", "scripts/unmarked", "src/base/late.cpp"])


if __name__ == "__main__":
    unittest.main()
