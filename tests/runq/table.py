# SPDX-License-Identifier: GPL-2.0-only
"""Tables that a command puts into docs/runq.md."""
import pathlib

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/runq.md"
END = "<!-- end -->"


def write(begin, lines):
    """Between the line `begin` and the next END; the rest of the document stays."""
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(begin, 1)
    after = rest.split(END, 1)[1]
    DOCUMENT.write_text(before + begin + "\n\n" + "\n".join(lines) + "\n\n" + END + after, encoding="utf-8")
