# SPDX-License-Identifier: GPL-2.0-only
"""Shells complete what the program has: each script is loaded by its shell and asked. A shell that is not installed is
skipped by name."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PUNCTUAL = os.environ.get("PUNCTUAL", str(ROOT / "build/punctual"))

# zsh completes only where somebody types: a terminal of its own, of which the list is read.
ZSH = r"""
autoload -U compinit && compinit -D -u
source $SCRIPT
zmodload zsh/zpty
_describe() { print -rl -- "${(@P)argv[-1]}" >>$ANSWER }
_normal() { print -r -- ANOTHER >>$ANSWER }
_files() { print -r -- FILES >>$ANSWER }
words=(${=LINE}) CURRENT=${#words}
[[ $LINE != *' ' ]] || { words+=('') ; CURRENT=${#words} }
PREFIX=$words[CURRENT]
_punctual
"""


def script_of(shell):
    return subprocess.run([PUNCTUAL, "completions", shell], capture_output=True, text=True, check=True).stdout


def options_in_help(*command):
    text = subprocess.run([PUNCTUAL, *command, "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", text, re.MULTILINE))


class Asked:
    """What a shell offers for a line with the cursor at its end."""

    def __init__(self, shell):
        if not shutil.which(shell):
            raise unittest.SkipTest(f"{shell} is not installed")
        self.folder = tempfile.TemporaryDirectory()
        self.script = pathlib.Path(self.folder.name, f"punctual.{shell}")
        self.script.write_text(script_of(shell))
        self.offers = getattr(self, shell)

    def shell(self, arguments, **environment):
        done = subprocess.run(arguments, env={**os.environ, "SCRIPT": str(self.script), "HOME": self.folder.name,
                                              **environment}, cwd=self.folder.name, capture_output=True, text=True,
                              check=False, timeout=120)
        if done.returncode != 0 or done.stderr:
            raise AssertionError(f"status {done.returncode}: {done.stderr}")
        return done.stdout

    def bash(self, line):
        code = 'source "$SCRIPT"; COMP_WORDS=($LINE); [[ $LINE != *" " ]] || COMP_WORDS+=(""); ' \
               'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _punctual; printf "%s\\n" "${COMPREPLY[@]}"'
        return set(self.shell(["bash", "--norc", "-c", code], LINE=line).split())

    def zsh(self, line):
        answer = pathlib.Path(self.folder.name, "answer")
        answer.unlink(missing_ok=True)
        self.shell(["zsh", "-f", "-c", ZSH], LINE=line, ANSWER=str(answer))
        offered = answer.read_text().splitlines() if answer.exists() else []
        prefix = "" if line.endswith(" ") else line.split()[-1]
        return {word.split(":")[0] for word in offered if word.startswith(prefix)} - {"FILES", "ANOTHER"}

    def fish(self, line):
        shown = self.shell(["fish", "--no-config", "-c", 'source $SCRIPT; complete -C "$LINE"'], LINE=line)
        return {row.split("\t")[0] for row in shown.splitlines()} - {self.script.name, "answer"}


class Completions(unittest.TestCase):
    def check(self, shell):
        asked = Asked(shell)
        self.assertIn("rollout", asked.offers("punctual "))
        self.assertNotIn("lab-init", asked.offers("punctual "))
        self.assertEqual(asked.offers("punctual ru"), {"run", "runq"})
        for command in ("run", "bench", "guard"):
            self.assertEqual(asked.offers(f"punctual {command} --"), options_in_help(command), command)
        self.assertEqual(asked.offers("punctual budget "), asked.offers("punctual budget ") | {"ls", "set", "clear"})
        self.assertEqual(asked.offers("punctual budget set --c"), {"--cap"})
        self.assertIn("scx_latency", asked.offers("punctual run "))
        # A value is wanted, or another program begins: nothing of ours.
        self.assertFalse(asked.offers("punctual run --cpus ") & {"scx_latency", "--floor"})
        self.assertFalse(asked.offers("punctual run scx_simple -- ") & {"scx_latency", "--floor"})

    def test_bash_offers_the_commands_and_options_of_the_place(self):
        self.check("bash")

    def test_zsh_offers_the_commands_and_options_of_the_place(self):
        self.check("zsh")

    def test_fish_offers_the_commands_and_options_of_the_place(self):
        self.check("fish")

    def test_unknown_shell_is_refused_by_name(self):
        done = subprocess.run([PUNCTUAL, "completions", "tcsh"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("tcsh", done.stderr)
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
