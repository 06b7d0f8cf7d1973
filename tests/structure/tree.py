# SPDX-License-Identifier: GPL-2.0-only
"""The source tree that the structure tests read: where it is and which files count as source."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE = (".h", ".c", ".cpp", ".py")
SOURCE = (*CODE, ".S.in", ".cmake", ".sh", ".html", ".css", ".js")
SOURCE_NAMES = ("CMakeLists.txt", "Makefile", ".clang-tidy")
SCRIPT_FOLDERS = ("scripts", ".ci", "tests")   # programs without a suffix


def is_generated(relative):
    return relative.parts[0].startswith("build") or relative.parts[0] in ("out", ".git", ".cache")


def files(root=ROOT):
    """Every file that is not generated, relative to root, in a stable order."""
    found = []
    for folder, folders, names in os.walk(root):
        here = pathlib.Path(folder).relative_to(root)
        folders[:] = sorted(name for name in folders
                            if name != "__pycache__" and not is_generated(here / name))
        found += [here / name for name in sorted(names)]
    return found


def is_source(path):
    if path.name.endswith(SOURCE) or path.name in SOURCE_NAMES:
        return True
    return path.suffix == "" and path.parts[0] in SCRIPT_FOLDERS and not path.name.startswith(".")


def code_files(root=ROOT):
    return [path for path in files(root) if path.name.endswith(CODE)]


def plant(root, contents):
    """Writes {relative path: text} below root: the small trees of the self-tests."""
    for name, text in contents.items():
        path = pathlib.Path(root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
