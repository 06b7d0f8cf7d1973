# SPDX-License-Identifier: GPL-2.0-only
"""Measures what docs/simulator.md tells and, with --write, writes it there.

figures.py speed: events a second, by machine (`make sim-speed`, a minute on one core).
figures.py lab [FILE...]: the simulator against the lab, on one CPU (`make sim-lab`, a quarter of an hour).
FILE: results of the lab that there are already, instead of new ones.
"""
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
DOCUMENT = ROOT / "docs/simulator.md"
PUNCTUAL = os.environ.get("PUNCTUAL", str(ROOT / "build/punctual"))
SPEED = os.environ.get("SIM_SPEED", str(ROOT / "build/sim_speed"))
ARMS = ("eevdf", "fifo", "scx_latency=60us")
LOADS = (("constant", "spin"), ("poisson", "spin"), ("constant", "python"))   # arrivals, background
STARTS = 3   # of the lab: each is a boot of half a minute an arm
GOALS = {"p50": 5, "p99": 10}


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def starts_of(document):
    if document["schema"] == "punctual.sim":
        return document["points"][0]["starts"]
    return document.get("starts", [document])


def figures_of(starts, name):
    """The middle one of the starts, of each figure."""
    arms = [(arm, start["arms"][0]) for start in starts for arm in start["arms"] if arm["name"] == name]

    def middle(value):
        return statistics.median(value(arm, first) for arm, first in arms)
    return {"p50": middle(lambda arm, _: arm["p50_ns"] / 1000), "p99": middle(lambda arm, _: arm["p99_ns"] / 1000),
            "drop": middle(lambda arm, _: 100 * arm["dropped"] / arm["offered"]),
            "background": middle(lambda arm, first: 100 * arm["background_work_ns"] / max(first["background_work_ns"], 1))}


def load_of(start):
    return start["environment"]["arrivals"], start["environment"]["background"]


def lab_starts(files, wanted, load):
    """Of the files, if there are some; else of the lab now."""
    if files:
        starts = [start for file in files for start in starts_of(json.loads(pathlib.Path(file).read_text()))]
        return [start for start in starts if load_of(start) == wanted]
    return starts_of(json.loads(output_of(PUNCTUAL, "bench", "--lab", "--arms", ",".join(ARMS), *load)))


def lab_table(files):
    rows = ["| arrivals | background | arm | figure | lab | simulator | deviation | goal |",
            "|---|---|---|---|---:|---:|---:|---:|"]
    for arrivals, background in LOADS:
        load = ("--arrivals", arrivals, "--background", background, "--starts", str(STARTS), "--json")
        lab = lab_starts(files, (arrivals, background), load)
        if not lab:
            continue
        sim = starts_of(json.loads(output_of(PUNCTUAL, "sim", "--policy", ",".join(ARMS), *load)))
        for arm in ARMS:
            real, simulated = figures_of(lab, arm), figures_of(sim, arm)
            for figure, unit in (("p50", " us"), ("p99", " us"), ("drop", " %"), ("background", " %")):
                change = f"{100 * (simulated[figure] / real[figure] - 1):+.1f} %" if real[figure] else "-"
                goal = f"{GOALS[figure]} %" if figure in GOALS else ""
                rows.append(f"| {arrivals} | {background} | {arm} | {figure} | {real[figure]:.1f}{unit} | {simulated[figure]:.1f}{unit} "
                            f"| {change} | {goal} |")
    return "\n".join(rows) + "\n"


def main():
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    if what not in ("speed", "lab"):
        sys.exit(__doc__)
    files = [word for word in sys.argv[2:] if not word.startswith("--")]
    table = output_of(SPEED) if what == "speed" else lab_table(files)
    print(table, end="")
    if "--write" in sys.argv:
        marker = rf"(<!-- by: make sim-{what} -->\n\n)(?:\|.*\n)*\n?"
        text, number = re.subn(marker, lambda match: match.group(1) + table + "\n", DOCUMENT.read_text())
        assert number == 1, f"no place for it in {DOCUMENT}"
        DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
