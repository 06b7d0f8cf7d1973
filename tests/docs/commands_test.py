# SPDX-License-Identifier: GPL-2.0-only
"""Every command line of README, docs/ and the man page is one that works: it is run here, or the program itself parses it,
or what it names is looked up; and what is not run, is listed here with the reason."""
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import doc_commands
from doc_commands import ROOT

PUNCTUAL = os.environ.get("PUNCTUAL", str(ROOT / "build/punctual"))

# Run here as they stand, and how they may end: what changes nothing, and takes a second at most.
RUN = {
    "punctual doctor": (0, 3),
    "punctual doctor --strict": (0, 1, 3),
    "punctual doctor --json": (0, 3),
    "punctual status": (0, 3),   # without root, or without sched_ext
    "punctual --version": (0,),
    "promtool check rules deploy/prometheus/punctual.rules.yml": (0,),
    "systemd-analyze security --offline=true deploy/systemd/punctual-serve.service": (0,),
}

# Begins with -> why it is not run here, beyond what is looked up below.
NOT_RUN = {
    "ansible-playbook": "deploy.ansible runs these playbooks",
    "apt install": "make package-test installs the package in fresh roots",
    "bpftool": "a tool of others, for a program of the reader",
    "cd": "for the line that follows",
    "cmake --install": "service.units installs, elsewhere",
    "ctest": "runs the suite in itself",
    "echo": "removes the loaded scheduler of this machine; lab.scheduler writes to the same file",
    "grep": "reads cgroups that are not everywhere",
    "install": "writes to /etc",
    "journalctl": "reads the journal of a service that is not there",
    "kubectl": "needs a cluster",
    "make": "takes minutes; that the target exists is looked up",
    "man": "needs an installed package; make package-test renders the pages",
    "perf": "sim.perf records and replays",
    "promtool test": "deploy.prometheus runs these tests",
    "python3": "a test or a tool of the tree: that it exists is looked up",
    "scripts/package": "takes minutes; make package-test runs it",
    "setfattr": "needs a cgroup; lab.budget sets attributes",
    "systemctl": "make package-test starts the service in a guest; that the unit exists is looked up",
    "systemd-sysusers": "writes to /etc; service.units runs it, elsewhere",
    "sysctl": "changes this machine",
    "build/": "a test of the build: that it exists is looked up",
    "build-asan/": "a test of the build: that it exists is looked up",
    "tests/fuzz/run": "takes minutes; that the target exists is looked up",
}
PARSED = "--documented"   # an option that no command has


def parse_error(arguments):
    """What the parser of the program has against these arguments; "" when it would take them. Nothing is done: one option
    that no command has is put in, and has to be the only thing that it refuses."""
    if arguments[-1:] == ["--"]:   # and another call of ours behind it
        arguments = [*arguments, "true"]
    at = arguments.index("--") if "--" in arguments else len(arguments)
    ended = subprocess.run([PUNCTUAL, *arguments[:at], PARSED, *arguments[at:]], capture_output=True, text=True, check=False,
                           stdin=subprocess.DEVNULL, timeout=60)
    expected = [f"The following argument was not expected: {PARSED}", f"The following arguments were not expected: -- {PARSED}"]
    return "" if ended.returncode == 2 and any(f"{words} (" in ended.stderr for words in expected) else ended.stderr.strip()


def looked_up(words):
    """What a command names that does not exist; "" when all is there, None when there is nothing to look up."""
    if words[0] == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return "".join(word for word in words[1:] if word not in targets)
    if words[0] == "systemctl":
        units = [word for word in words[2:] if "." in word]
        return "".join(unit for unit in units if not list((ROOT / "deploy/systemd").glob(unit)))
    if words[0] in ("python3", "tests/fuzz/run"):
        return test_missing(words)
    if words[0].startswith("build/"):
        names = {f"build/sim_{path.stem}" for path in ROOT.glob("tests/sim/*_test.cpp")}
        return "" if words[0] in names else words[0]
    if words[0].startswith("build-asan/"):
        return "" if words[0] == "build-asan/unit_tests" else words[0]
    if words[0] == "ctest":
        label = words[words.index("-R") + 1].split(".", 1)[1]
        return "" if list((ROOT / "tests/lab").glob(f"{label}_test.py")) else label
    return None


def test_missing(words):
    """A script of the tree, or a class or method of it that is not there."""
    script = ROOT / (words[0] if words[0] != "python3" else words[1])
    if not script.is_file():
        return str(script)
    if words[0] != "python3":
        return "" if (ROOT / f"tests/fuzz/{words[1]}_fuzz.cpp").is_file() else words[1]
    names = [part for word in words[2:] if re.fullmatch(r"[A-Z]\w+(\.\w+)?", word) for part in word.split(".")]
    return "".join(name for name in names if not re.search(rf"(class|def) {name}\b", script.read_text()))


def plain(words):
    return " ".join(words).replace("build/punctual", "punctual")


class Commands(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.found = doc_commands.documented()

    def test_there_are_many(self):
        self.assertGreater(len(self.found), 100)
        self.assertGreater(len({name for name, _, _ in self.found}), 10)

    def test_every_call_of_the_program_is_one_that_it_takes(self):
        calls = {tuple(call): name for name, _, words in self.found for call in doc_commands.punctual_calls(words)}
        wrong = [(name, " ".join(call), error) for call, name in calls.items()
                 if "--version" not in call and (error := parse_error(list(call)))]
        self.assertEqual(wrong, [])
        self.assertGreater(len(calls), 60)

    def test_what_the_others_name_exists(self):
        wrong = [(name, line, missing) for name, line, words in self.found if (missing := looked_up(words))
                 and "punctual" != pathlib.PurePath(words[0]).name]
        self.assertEqual(wrong, [])

    def test_each_is_run_or_parsed_or_listed_with_the_reason(self):
        reasons = {start: 0 for start in NOT_RUN}
        unknown = []
        for name, line, words in self.found:
            text = plain(words)
            if text in RUN or doc_commands.punctual_calls(words):
                continue
            starts = [start for start in NOT_RUN if text == start or text.startswith(start if start[-1] == "/" else start + " ")]
            if not starts:
                unknown.append((name, line))
            for start in starts:
                reasons[start] += 1
        self.assertEqual(unknown, [])
        self.assertEqual([start for start, count in reasons.items() if not count], [], "in no document any more")

    def test_those_that_change_nothing_end_as_they_should(self):
        documented = {plain(words): words for _, _, words in self.found}
        self.assertEqual(set(RUN) - set(documented), set(), "in no document any more")
        for text, statuses in RUN.items():
            words = text.split()
            program = PUNCTUAL if words[0] == "punctual" else shutil.which(words[0])
            if not program:
                print(f"not run, as there is no {words[0]} here: {text}")
                continue
            ended = subprocess.run([program, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
                                   stdin=subprocess.DEVNULL)
            self.assertIn(ended.returncode, statuses, f"{text}\n{ended.stdout}{ended.stderr}")


class Doctor(unittest.TestCase):
    def test_troubleshooting_has_each_check_and_no_other(self):
        text = (ROOT / "docs/troubleshooting.md").read_text()
        rows = re.findall(r"^\| `([a-z-]+)` \|", text.split("## By check")[1].split("\n## ")[0], re.MULTILINE)
        shown = subprocess.run([PUNCTUAL, "doctor"], capture_output=True, text=True, check=False).stdout
        self.assertEqual(rows, re.findall(r"^(?:ok|warn|fail) +([a-z-]+) ", shown, re.MULTILINE))


class SelfTest(unittest.TestCase):
    """What this test would find."""

    def test_stale_calls_are_found(self):
        for stale in ("run scx_latency --slize a=1us", "frobnicate", "bench --starts many", "doctor now", "export x.waits",
                      "run scx_simple --floor 10% --nice -- true"):
            self.assertNotEqual(parse_error(stale.split()), "", stale)
        for sound in ("run scx_latency --slice a=1us -- sleep --help", "budget ls", "sim sweep --cpus 1"):
            self.assertEqual(parse_error(sound.split()), "", sound)

    def test_calls_inside_of_others_are_seen(self):
        words = doc_commands.words_of("sudo X=1 punctual lab -- sh -c 'punctual status; punctual top' | less  # so")
        self.assertEqual(doc_commands.punctual_calls(words)[1:], [["status"], ["top"]])

    def test_missing_names_are_found(self):
        for stale in ("make coffee", "systemctl start gone.service", "python3 tests/gone.py",
                      "python3 tests/docs/commands_test.py Gone", "tests/fuzz/run gone 1", "build/gone_test", "ctest -R lab.gone"):
            self.assertTrue(looked_up(stale.split()), stale)

    def test_blocks_and_prompts_are_read(self):
        lines = doc_commands.of_markdown("text\n\n    one 'a\n     b'\n    two \\\n    three\n\n```\n$ four\noutput\n```\n")
        self.assertEqual(lines, ["four", "one 'a\n b'", "two three"])


if __name__ == "__main__":
    unittest.main()
