# SPDX-License-Identifier: GPL-2.0-only
"""Command lines of the documents: where they stand, without comment, sudo, variables and prompt."""
import pathlib
import re
import shlex

ROOT = pathlib.Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ASSIGNMENT = re.compile(r"[A-Z_]+=\S*")
# A block whose first line is no command is a layout, a picture or a file.
NO_COMMANDS = {"docs/recordings.md": ('file     "PUNCTREC"',), "docs/concepts.md": ("time, us",)}


def blocks_of(text):
    """Indented blocks as lists of lines."""
    block = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("    "):
            block.append(line[4:])
        elif block:
            yield block
            block = []


def words_of(line):
    """Of one command; operators (|, &, ;, <, >) are words of their own."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, "#"
    words = list(lexer)
    while words and (words[0] in ("sudo", "$") or ASSIGNMENT.fullmatch(words[0])):
        words = words[1:]
    return words


def joined(lines):
    """A command may go on in the next line: after an open quotation, or after a backslash."""
    whole = ""
    for line in lines:
        whole += line
        if whole.endswith("\\"):
            whole = whole[:-1]
            continue
        try:
            shlex.split(whole, comments=True)
        except ValueError:
            whole += "\n"
            continue
        yield whole
        whole = ""
    if whole:
        raise ValueError(f"an open quotation: {whole}")


def of_markdown(text, name=""):
    found = []
    for _, body in FENCE.findall(text):
        found += joined([line[2:] for line in body.splitlines() if line.startswith("$ ")])   # the rest is its output
    for block in blocks_of(FENCE.sub("", text)):
        if not block[0].startswith(NO_COMMANDS.get(name, ("\0",))):
            found += joined(block)
    return found


def of_man_page(name):
    """Fences of section 8 that begin with a command; those of section 5 are files."""
    found = []
    for _, body in FENCE.findall((ROOT / name).read_text()):
        if body.startswith(("punctual ", "sysctl ", "setfattr ")):
            found += joined(body.splitlines())
    return found


def documented():
    """(document, line as written, words) of each, in order."""
    markdown = ["README.md", "ARCHITECTURE.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]
    found = [(name, line) for name in markdown for line in of_markdown((ROOT / name).read_text(), name)]
    found += [("docs/man/punctual.8.scd", line) for line in of_man_page("docs/man/punctual.8.scd")]
    return [(name, line, words_of(line)) for name, line in found if words_of(line)]


def punctual_calls(words):
    """Arguments of each call of the program in one line, also of one that another command or call brings along."""
    calls, call, before = [], None, ""
    for word in words:
        begins = not before or before == "--" or set(before) <= set("|&;<>()")
        if begins and pathlib.PurePath(word).name == "punctual":
            call = []
            calls.append(call)
        elif set(word) <= set("|&;<>()"):
            call = None
        elif call is not None:
            call.append(word)
        if " " in word and re.match(r"punctual ", word):   # sh -c 'punctual ...'
            calls += punctual_calls(words_of(word.replace("\n", ";")))
        before = word
    return calls
