# SPDX-License-Identifier: GPL-2.0-only
"""The man page says what the program does: options, defaults, tunables, exit statuses; and it renders.

Reads the source of the page, in which a definition is a line that begins with *bold* text, followed by
indented lines, and the --help of each command.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/man/punctual.8.scd").read_text()
PUNCTUAL = os.environ.get("PUNCTUAL", str(ROOT / "build/punctual"))
RENDERED = os.environ.get("MAN_PAGE", str(ROOT / "build/punctual.8"))

OPTION = re.compile(r"--[a-z][a-z-]*")
HELP_LINE = re.compile(r"^  (?:-\w,)?(--[a-z-]+)(?: (?:TEXT|INT|UINT|FLOAT)(?:=(\S+))?)?", re.MULTILINE)
FENCE = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NS = {"ns": 1, "us": 1000, "ms": 1000 ** 2, "s": 1000 ** 3}


def help_of(*command):
    return subprocess.run([PUNCTUAL, *command, "--help"], capture_output=True, text=True, check=True).stdout


def commands():
    """Names of the subcommands that the program shows."""
    return re.findall(r"^  ([a-z-]+)  ", help_of().split("Subcommands:")[1], re.MULTILINE)


def options_of(*command):
    """Long option -> default or None, as --help shows them, its subcommands' too; without --help itself."""
    text = help_of(*command)
    shown = {name: default or None for name, default in HELP_LINE.findall(text)}
    shown.pop("--help")
    for name in re.findall(r"^  ([a-z-]+)  ", text.partition("Subcommands:")[2], re.MULTILINE):
        shown |= options_of(*command, name)
    return shown


def sections(text, mark):
    """Title -> text, for headers that begin with `mark`."""
    parts = re.split(rf"^{mark} (.+)$", text, flags=re.MULTILINE)
    return {title: body for title, body in zip(parts[1::2], parts[2::2])}


def definitions(text):
    """(bold words of the defining line, the lines below it) for each definition."""
    found = re.findall(r"^(\*[^\n]*)\n((?:\t[^\n]*\n|\n(?=\t))+)", text, re.MULTILINE)
    return [(re.findall(r"\*([^*]+)\*", head), body) for head, body in found]


def default_in(body):
    match = re.search(r"Default: (\S+?)\.?$", body, re.MULTILINE)
    return match.group(1) if match else None


SECTIONS = sections(PAGE, "#")
COMMANDS = sections(SECTIONS["COMMANDS"], "##")


class Options(unittest.TestCase):
    maxDiff = None

    def test_every_command_has_its_section_and_no_other_has(self):
        self.assertEqual(sorted(COMMANDS), sorted(commands()))

    def test_every_option_is_described_and_no_other_is(self):
        for command in commands():
            described = {word for words, _ in definitions(COMMANDS[command]) for word in words if OPTION.fullmatch(word)}
            self.assertEqual(described, set(options_of(command)), command)

    def test_defaults_are_those_of_the_program(self):
        for command in commands():
            shown = {name: default for name, default in options_of(command).items() if default}
            for words, body in definitions(COMMANDS[command]):
                for word in set(words) & set(shown):
                    self.assertEqual(default_in(body), shown[word], f"{command} {word}")

    def test_options_in_running_text_exist(self):
        known = {option for command in commands() for option in options_of(command)} | {"--help", "--version", "--name"}
        self.assertEqual(set(OPTION.findall(FENCE.sub("", PAGE))) - known, set())


class Synopsis(unittest.TestCase):
    def test_shows_every_command_with_its_own_options(self):
        lines = re.findall(r"^\*punctual\* \*([a-z]+)\*(.*)$", SECTIONS["SYNOPSIS"], re.MULTILINE)
        self.assertEqual([name for name, _ in lines], commands())
        for name, rest in lines:
            self.assertLessEqual(set(OPTION.findall(rest)), set(options_of(name)), name)


class Examples(unittest.TestCase):
    def test_use_commands_and_options_that_exist(self):
        # From "punctual NAME" to what is its no longer: a command after --, a pipe, the end of a quotation.
        used = re.findall(r"\bpunctual ([a-z-]+)([^\n|']*?)(?= -- |[\n|'])", "".join(FENCE.findall(PAGE)))
        self.assertGreater(len(used), 5)
        for name, rest in used:
            self.assertIn(name, commands())
            self.assertLessEqual(set(OPTION.findall(rest)), set(options_of(name)), f"punctual {name}{rest}")


class Facts(unittest.TestCase):
    maxDiff = None

    def test_exit_statuses_are_those_of_the_table(self):
        table = (ROOT / "src/base/result.h").read_text().split("enum class ExitCode")[1].split("};")[0]
        stated = [words[0] for words, _ in definitions(SECTIONS["EXIT STATUS"])]
        self.assertEqual(stated, re.findall(r"= (\d+),", table))

    def test_tunables_and_their_defaults_are_those_of_the_scheduler(self):
        source = (ROOT / "bpf/latency_state.bpf.h").read_text().split("/* ---- the machine")[0]
        actual = {}
        for name, product in re.findall(r"^const volatile u(?:32|64) (\w+) = ([\d* ]+);", source, re.MULTILINE):
            actual[name] = 1
            for factor in product.split("*"):
                actual[name] *= int(factor)
        stated = {}
        for words, body in definitions(SECTIONS["TUNABLES"]):
            number, unit = re.fullmatch(r"(\d+)([a-z]*)", default_in(body)).groups()
            stated[words[0]] = int(number) * (NS[unit] if unit else 1)
        self.assertEqual(stated, actual)

    def test_limits_are_those_of_the_kernel_side(self):
        source = (ROOT / "abi/sched.h").read_text()
        classes = re.search(r"CLASSES_MAX = (\d+);", source).group(1)
        self.assertIn(f"at most {classes} cgroups", PAGE)
        self.assertIn("BUDGET_NS_MIN = 1000ULL;", source)   # "From 1us to 1s"
        self.assertIn("BUDGET_NS_MAX = 1000ULL * 1000 * 1000;", source)


def page(name):
    return (ROOT / f"docs/man/{name}.scd").read_text()


class Files(unittest.TestCase):
    """The pages of section 5."""

    def test_keys_are_those_of_the_program_and_the_example_is_taken(self):
        text = page("punctual.toml.5")
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "punctual.toml")

            def check(content):
                file.write_text(content)
                return subprocess.run([PUNCTUAL, "guard", "--check", "--config", file], capture_output=True, text=True, check=False)
            example = check(FENCE.search(text)[1])
            self.assertEqual(example.returncode, 0, example.stderr)
            known = "".join(re.findall(r"known: ([][a-z_, ]+)", check("gone = 1").stderr + check("[guard]\ngone = 1").stderr))
        described = {word.strip("[]") for words, _ in definitions(sections(text, "#")["KEYS"]) for word in words}
        known = set(re.findall(r"[a-z_]+", known))
        self.assertGreater(len(known), 10)
        self.assertEqual(described, known)

    def test_schemas_and_limits_are_those_of_the_sources(self):
        text = page("punctual-files.5")
        for schema, version in re.findall(r"schema (punctual\.\w+), version (\d)", text):
            sources = "".join(path.read_text() for path in (ROOT / "src").glob("*/*record.cpp") if schema in path.read_text())
            self.assertIn(f"kVersion = {version};", sources, schema)
        self.assertIn('"PUNCTREC"', "".join(path.read_text() for path in (ROOT / "src/runq").iterdir()))


class Concepts(unittest.TestCase):
    def test_the_picture_has_the_defaults_of_the_scheduler(self):
        stated = {words[0]: default_in(body) for words, body in definitions(SECTIONS["TUNABLES"])}
        text = (ROOT / "docs/concepts.md").read_text()
        reserve = int(stated["reserve_ns"][:-2]) + int(stated["switch_ns"][:-2])
        for claim in (f"`reserve_ns` {stated['reserve_ns'].replace('us', ' us')}", f"`switch_ns` {stated['switch_ns'].replace('us', ' us')}",
                      f"begins with {reserve} us", f"safe moment is {60 - reserve}.", f"less slack than {stated['slack_min_ns'].replace('us', ' us')}"):
            self.assertIn(claim, text)


@unittest.skipUnless(shutil.which("man"), "no man here: that scdoc took the source is all that was checked")
class Rendering(unittest.TestCase):
    @staticmethod
    def warnings(page):
        run = subprocess.run(["man", "--warnings", "-l", page], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             check=False, env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MAN_KEEP_STDERR": "1"})
        return run.stderr + ("" if run.returncode == 0 else f"status {run.returncode}")

    def test_page_gives_no_warnings(self):
        for name in ("punctual.8", "punctual.toml.5", "punctual-files.5"):
            self.assertEqual(self.warnings(str(pathlib.Path(RENDERED).parent / name)), "", name)

    def test_a_broken_page_would(self):
        with tempfile.NamedTemporaryFile("w", suffix=".8") as broken:
            broken.write(pathlib.Path(RENDERED).read_text() + ".nosuchmacro\n")
            broken.flush()
            self.assertNotEqual(self.warnings(broken.name), "")


if __name__ == "__main__":
    unittest.main()
