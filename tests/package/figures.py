# SPDX-License-Identifier: GPL-2.0-only
"""Sizes, hashes and lintian's opinion of the packages in out/, as a table; --write puts it into docs/packages.md. Where
build/package/again has those of a second build, also whether they have the same bytes."""
import argparse
import hashlib
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/packages.md"
AGAIN = ROOT / "build/package/again"
MARKS = re.compile(r"(<!-- from tests/package/figures.py.*?-->\n).*?(<!-- end -->)", re.DOTALL)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def field(path, name):
    return subprocess.run(["dpkg-deb", "-f", path, name], capture_output=True, text=True, check=True).stdout.strip()


def opinion(path):
    """lintian's, of everything that is not an experiment of its own."""
    text = subprocess.run(["lintian", "--fail-on", "none", path], capture_output=True, text=True, check=True).stdout.strip()
    return text.replace("\n", "; ") or "says nothing"


def rows(path):
    yield f"| {path.name} | {path.stat().st_size / 1024:,.0f} KiB |"
    yield f"| installed | {int(field(path, 'Installed-Size')):,} KiB |"
    yield f"| SHA-256 | `{sha256(path)[:16]}...` |"
    other = AGAIN / path.name
    if other.exists():
        yield f"| built again elsewhere | {'the same bytes' if sha256(other) == sha256(path) else 'DIFFERS'} |"
    yield f"| depends on | {field(path, 'Depends')} |"
    yield f"| lintian | {opinion(path)} |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    packages = sorted(path for path in (ROOT / "out").glob("punctual_*~deb1[23]_amd64.deb"))
    if not packages:
        raise SystemExit("figures: no package in out/: make package")
    text = "\n" + "\n\n".join("| package | |\n|---|---|\n" + "\n".join(rows(path)) for path in packages) + "\n\n"
    print(text)
    if options.write:
        PAGE.write_text(MARKS.sub(lambda found: found[1] + text + found[2], PAGE.read_text()))


if __name__ == "__main__":
    main()
