# SPDX-License-Identifier: GPL-2.0-only
"""200 pairs of runs of one and the same arm, on this machine: how often does the bench see a difference that is not
there, and how often one of 20 % that is? As root, six minutes. With --write the row goes into docs/performance.md."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[2]
PUNCTUAL = pathlib.Path(os.environ.get("PUNCTUAL", ROOT / "build/punctual")).resolve()
DOCUMENT = ROOT / "docs/performance.md"
BEGIN = "<!-- by: make bench-aa -->"
COMMAND = ("bench", "--arms", "eevdf,eevdf", "--starts", "200", "--background", "spin", "--background-processes", "1",
           "--pps", "60k", "--duration", "300ms", "--warmup", "100ms", "--settle", "0s", "--json")
WRONG_MAX = 0.07
FOUND_MIN = 0.80
HEAD = ("| pairs | spread of a pair | pairs that 20 % takes | draws | a difference where there is none | 20 % found |\n"
        "|---:|---:|---:|---:|---:|---:|\n")


def measured():
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([PUNCTUAL, *COMMAND], stdout=file, check=True)
        ended = subprocess.run([PUNCTUAL.parent / "aa_power", file.name], stdout=subprocess.PIPE, check=True)
    return json.loads(ended.stdout)


def main(arguments):
    row = measured()
    wrong, found = row["wrong"] / row["draws"], row["found"] / row["draws"]
    line = (f"| {row['pairs']} | {row['spread']:.0%} | {row['needed']} | {row['draws']} | {wrong:.1%} | {found:.1%} |\n")
    print(HEAD + line, end="")
    if "--write" in arguments:
        table = re.escape(BEGIN) + r"\n\n(?:\|[^\n]*\n)*"
        DOCUMENT.write_text(re.sub(table, lambda _: f"{BEGIN}\n\n{HEAD}{line}", DOCUMENT.read_text()))
    return 0 if wrong <= WRONG_MAX and found >= FOUND_MIN else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
