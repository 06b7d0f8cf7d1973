# SPDX-License-Identifier: GPL-2.0-only
"""Budgets over a matrix of loads: rates, arrivals, rings. One bench in the lab for each load, an arm for each budget.

  python3 tests/lab/matrix.py                    all of it, to standard output
  python3 tests/lab/matrix.py --write            the same, into docs/matrix.md
  python3 tests/lab/matrix.py --rates 100k --arrivals bursts --rings 64 --budgets 1ms     a part of it

Whether a load is feasible is worked out before the bench and from the load alone (`feasible`), so that no figure decides
what it is judged by. Exit status: 0 the budget was kept wherever that is feasible, 1 somewhere not, 2 usage, 77 no lab.
"""
import argparse
import itertools
import json
import pathlib
import random
import sys
import unittest
from typing import NamedTuple

from guest import LACKING, punctual

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/matrix.md"
BEGIN = "<!-- from tests/lab/matrix.py, by: make matrix -->"
END = "<!-- end -->"

RATES = ("5k", "20k", "60k", "100k", "400k")   # the last one is beyond what a CPU can do
ARRIVALS = ("constant", "poisson", "bursts:32")
RINGS = (64, 256, 1024)
BUDGETS = ("20us", "60us", "200us", "1ms")
WINDOW = ("--duration", "500ms", "--warmup", "300ms", "--settle", "300ms")

# Of the lab's CPU, rounded up: docs/performance.md, "What a cycle costs".
PACKET_NS = 2_700
CYCLE_NS = 14_000
FLOOR = 0.10             # what other tasks keep
LATE_SHARE_MAX = 0.001   # p99.9

SKIPPED = 77
UNITS = {"us": 1_000, "ms": 1_000_000, "k": 1_000}


def number(text):
    """"60us" in ns, "60k" as it is."""
    digits = text.rstrip("kmus")
    return int(digits) * UNITS[text[len(digits):]]


class Load(NamedTuple):
    rate: str
    arrivals: str
    ring: int

    def options(self):
        return ["--pps", self.rate, "--arrivals", self.arrivals, "--ring", str(self.ring), "--background", "spin", *WINDOW]


class Point(NamedTuple):
    load: Load
    budget: str
    infeasible: str   # why; empty: feasible
    arm: dict         # as the bench gives it

    def kept(self):
        """p99.9 of the waits within the budget, exactly and not by bucket, and no packet lost.

        One wait may always be late: of less than 1,000 no share tells one from p99.9."""
        late_max = max(1, int(LATE_SHARE_MAX * self.arm["waits"]))
        return self.arm["waits"] > 0 and self.arm["waits_missed"] <= late_max and self.arm["dropped"] == 0

    def verdict(self):
        return f"infeasible: {self.infeasible}" if self.infeasible else "kept" if self.kept() else "NOT KEPT"


def arrivals_ns(load, length_ns=2_000_000_000):
    """A schedule of the kind that the bench makes; random ones are another draw of the same kind."""
    gap_ns = 1e9 / number(load.rate)
    packets = range(int(length_ns / gap_ns))
    if load.arrivals == "poisson":
        draw = random.Random(1)
        return list(itertools.accumulate(draw.expovariate(1 / gap_ns) for _ in packets))
    burst = int(load.arrivals.partition(":")[2] or 1)
    return [(k - k % burst) * gap_ns for k in packets]


def served_lazily(arrivals, ring, budget_ns):
    """Packets lost, and wake-ups, of a packet function that each time starts exactly when its budget ends."""
    lost = wakeups = next_packet = 0
    while next_packet < len(arrivals):
        wakeups += 1
        now_ns = arrivals[next_packet] + budget_ns
        waiting = 0
        while True:
            while next_packet < len(arrivals) and arrivals[next_packet] <= now_ns:
                if waiting < ring:
                    waiting += 1
                else:
                    lost += 1
                next_packet += 1
            if waiting == 0:
                break
            waiting -= 1
            now_ns += PACKET_NS
    return lost, wakeups


def infeasible(load, budget):
    """Why no scheduler could keep this budget without losing packets, or an empty text when one could.

    Starting later than anybody may is what fills the ring most, and what costs the least CPU."""
    arrivals = arrivals_ns(load)
    work = len(arrivals) * PACKET_NS
    if work >= (1 - FLOOR) * arrivals[-1]:
        return "CPU"
    lost, wakeups = served_lazily(arrivals, load.ring, number(budget))
    if work + wakeups * CYCLE_NS >= (1 - FLOOR) * arrivals[-1]:
        return "CPU"
    return "ring" if lost else ""


def bench(load, arms):
    """The arms of one bench by name. Raises SkipTest where there is no lab."""
    ended = punctual("bench", "--lab", "--json", "--arms", ",".join(arms), *load.options())
    if ended.status == LACKING:
        raise unittest.SkipTest(ended.err.decode().strip())
    if ended.status != 0:
        raise RuntimeError(f"{load}: {ended}")
    return {arm["name"]: arm for arm in json.loads(ended.out)["arms"]}


def points_of(load, budgets, reference=()):
    """The measured points of one load, and the arms that they are compared with."""
    feasible = {budget: infeasible(load, budget) for budget in budgets}
    arms = bench(load, [*reference, *(f"scx_latency={budget}" for budget in budgets)])
    return [Point(load, budget, feasible[budget], arms.pop(f"scx_latency={budget}")) for budget in budgets], arms


HEAD = """| packets/s | arrivals | ring | budget us | wait p99.9 us | missed % | packet p99.9 us | drop % | said infeasible | fifo packet p99.9 us | fifo drop % | verdict |
|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|"""


def share(part, whole):
    return f"{100 * part / whole:.3g}" if whole else "-"


def row(point, fifo):
    arm = point.arm
    cells = (point.load.rate, point.load.arrivals, point.load.ring, f"{number(point.budget) / 1000:g}",
             f"{arm['wait_p999_ns'] / 1000:.1f}", share(arm["waits_missed"], arm["waits"]), f"{arm['p999_ns'] / 1000:.1f}",
             share(arm["dropped"], arm["offered"]), f"{arm['infeasible_windows']} of {arm['judged_windows']}", f"{fifo['p999_ns'] / 1000:.1f}",
             share(fifo["dropped"], fifo["offered"]), point.verdict())
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def write(lines):
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    DOCUMENT.write_text(before + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + rest.split(END, 1)[1], encoding="utf-8")


def summary(points):
    counts = {}
    for point in points:
        counts[point.verdict()] = counts.get(point.verdict(), 0) + 1
    return ", ".join(f"{verdict}: {count}" for verdict, count in sorted(counts.items()))


def repeat(point):
    return " ".join(["build/punctual bench --lab --json --arms", f"scx_latency={point.budget}", *point.load.options()])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, values in (("rates", RATES), ("arrivals", ARRIVALS), ("rings", RINGS), ("budgets", BUDGETS)):
        parser.add_argument(f"--{name}", nargs="+", default=values, type=type(values[0]))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    lines, points = [HEAD], []
    print(HEAD, flush=True)
    for load in itertools.starmap(Load, itertools.product(given.rates, given.arrivals, given.rings)):
        found, others = points_of(load, given.budgets, ["fifo"])
        points += found
        for point in found:
            lines.append(row(point, others["fifo"]))
            print(lines[-1], flush=True)
    lines += ["", f"{len(points)} points: {summary(points)}."]
    print(lines[-1])
    if given.write:
        write(lines)
    broken = [point for point in points if not point.infeasible and not point.kept()]
    for point in broken:
        print("not kept:", repeat(point), file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except unittest.SkipTest as reason:
        print(reason, file=sys.stderr)
        sys.exit(SKIPPED)
