#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs clang-tidy over the compile commands of builds, on all CPUs, and remembers what was clean.

A file that several builds have is read as in the first. It is checked again when it, a header of ours that it includes, its command or .clang-tidy changed.
With --quick only src/, and of the checks only those that find bugs and cost little: without the path-sensitive analyzer,
which costs two thirds of the time, and without those for style, which cost most of the rest; and of the files those that
the last commits changed, and a sixth of the rest, which sixth by the number of commits. That is what the test suite runs;
`make lint` runs all of it.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIDY = "clang-tidy-19"
# The commands are those of GCC; these two make clang read them as CMakeLists.txt would have it.
CLANG_FLAGS = ("-Wno-unknown-warning-option", "-Wno-missing-designated-field-initializers")
# Those that find bugs, without the few that cost most of the time.
QUICK_CHECKS = ",".join((
    "-clang-analyzer-*", "-cppcoreguidelines-*", "-modernize-*", "-readability-*",
    "-misc-*", "misc-redundant-expression", "misc-unused-alias-decls", "misc-unused-parameters",
    "-performance-*", "performance-move-const-arg",
    "-bugprone-reserved-identifier", "-bugprone-standalone-empty", "-bugprone-stringview-nullptr"))
RECENT_COMMITS = 10
PARTS = 6
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def our_includes(path, seen):
    """The file and every header of ours that it reaches, in a stable order."""
    if path in seen:
        return
    seen.append(path)
    for name in INCLUDE.findall(path.read_text()):
        for folder in (path.parent, ROOT / "src", ROOT):
            if (folder / name).is_file():
                our_includes((folder / name).resolve(), seen)
                break


def fingerprint(command, options):
    digest = hashlib.sha256(repr((command.get("command"), options)).encode())
    files = []
    our_includes(pathlib.Path(command["file"]), files)
    for path in [ROOT / ".clang-tidy", *files]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def commands_of(build):
    return [command | {"build": build} for command in json.loads((build / "compile_commands.json").read_text())
            if command["file"].endswith(".cpp") and pathlib.Path(command["file"]).is_relative_to(ROOT)
            and not pathlib.Path(command["file"]).is_relative_to(build)]


def check(command, options):
    """None when clean, else what clang-tidy says."""
    build = command["build"]
    stamp = build / "tidy" / fingerprint(command, options)
    if stamp.exists():
        return None
    run = subprocess.run(
        [TIDY, "-p", str(build), "--quiet", *(f"--extra-arg={flag}" for flag in CLANG_FLAGS), *options, command["file"]],
        capture_output=True, text=True, check=False)
    if run.returncode != 0:
        return run.stdout or run.stderr
    stamp.parent.mkdir(exist_ok=True)
    stamp.touch()
    return None


def git(*arguments):
    run = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return run.stdout if run.returncode == 0 else None


def quick_part(files):
    """All of them where there is no history."""
    count = git("rev-list", "--count", "HEAD")
    recent = git("diff", "--name-only", f"HEAD~{RECENT_COMMITS}", "HEAD")
    if count is None or recent is None:
        return set(files)
    part = int(count) % PARTS
    return {path for path in files
            if path in recent.split() or int(hashlib.sha256(path.encode()).hexdigest(), 16) % PARTS == part}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("builds", type=pathlib.Path, nargs="+", metavar="build")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    folders = ("src",) if arguments.quick else ("src", "tests")
    options = [f"--checks={QUICK_CHECKS}"] if arguments.quick else []
    commands = list({command["file"]: command for build in reversed(arguments.builds) for command in commands_of(build.resolve())
                     if pathlib.Path(command["file"]).relative_to(ROOT).parts[0] in folders}.values())
    if arguments.quick:
        names = [str(pathlib.Path(command["file"]).relative_to(ROOT)) for command in commands]
        chosen = quick_part(names)
        commands = [command for command, name in zip(commands, names) if name in chosen]
    if not commands or not all(os.path.exists(command["file"]) for command in commands):
        sys.exit("tidy: no compile commands, or stale ones: build first")
    dirty = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for finding in pool.map(lambda command: check(command, options), commands):
            if finding:
                dirty += 1
                print(finding)
    print(f"tidy: {len(commands) - dirty} of {len(commands)} files clean")
    return 1 if dirty else 0


if __name__ == "__main__":
    sys.exit(main())
