#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Are the treated hosts worse off than control hosts at the same time? Asks Prometheus, by its HTTP API, and decides.

A value is the logarithm of a measure, a p99 for example. What counts is how it changed from before the roll-out to after it,
so a host that was always slow is no finding, and what changes for all hosts, as the load of a day does, is none either.

Samples are hosts: the changes of treated hosts against those of control hosts, by a permutation test. That is honest as far
as it was chance who was treated first. With so few hosts that no outcome could be significant (one treated host takes 19
control hosts) the samples are blocks of time: treated minus control, before against after. Such a test cannot tell the
scheduler from anything else that began on those hosts at that moment; what was used is said.

The verdict of each measure: *worse* (a rise is significant, and estimated above the margin), *fine* (a rise by the margin or
more is excluded), *unclear* (neither). Of the gate: worse when one is, fine when all are.

Exit status: 0 fine, 10 worse, 11 unclear, 4 too little data, 2 usage, 1 Prometheus does not answer.
"""
import argparse
import itertools
import json
import math
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

EXIT = {"fine": 0, "worse": 10, "unclear": 11, "no data": 4}
DRAWS = 10_000          # of a permutation test with more outcomes than that
BLOCKS = 20             # of each side, when blocks are the samples
BLOCKS_MIN = 8          # of each side: 2 / C(16, 8) is far below any level
ANSWER_BYTES_MAX = 64 << 20
ANSWER_SECONDS_MAX = 60

# $window stands for the length of what is looked at.
MEASURES = {
    "all": 'histogram_quantile(0.99, sum by (instance, le) (increase(punctual_runq_latency_seconds_bucket[$window])))',
    "class": 'histogram_quantile(0.99, sum by (instance, le) '
             '(increase(punctual_cgroup_runq_latency_seconds_bucket{cgroup=~"$cgroup(/.*)?"}[$window])))',
}
# Of treated hosts, since the roll-out: each is a finding by itself, without any statistics.
FAULTS = {
    "falls back": 'sum by (instance) (increase(punctual_scheduler_exits_total{reason!~"asked_for|hotplug"}[$window])) > 0',
    "is held on EEVDF": "max by (instance) (max_over_time(punctual_guard_held[$window])) == 1",
    "runs no sched_ext scheduler": "max by (instance) (punctual_scheduler_enabled) == 0",
    "starves tasks": "sum by (instance) (increase(punctual_scheduler_starved_total[$window])) > 0",
    "does not answer": 'min by (instance) (up{job="punctual"}) == 0',
}


class Trouble(Exception):
    """Prometheus cannot be asked."""


def least_p(nr_a, nr_b):
    """The smallest p value that a permutation of so many can have."""
    return 1 / math.comb(nr_a + nr_b, nr_a)


def permutation_p(a, b, seed=1):
    """How often chance alone gives `a` a mean that exceeds that of `b` by as much; exact where that is affordable."""
    values, nr_a, total = [*a, *b], len(a), sum(a) + sum(b)
    # Means differ as sums do, because the numbers of samples are fixed. A tie counts against significance.
    at_least = sum(a) - 1e-9 * (1 + abs(total))
    if math.comb(len(values), nr_a) <= DRAWS:
        sums = [sum(chosen) for chosen in itertools.combinations(values, nr_a)]
        return sum(value >= at_least for value in sums) / len(sums)
    draw = random.Random(seed)
    return (1 + sum(sum(draw.sample(values, nr_a)) >= at_least for _ in range(DRAWS))) / (1 + DRAWS)


def judge(treated, control, margin, alpha, nr_measures=1):
    """(verdict, estimated ratio, p of a rise, p of "a rise by the margin or more" being wrong)."""
    estimate = sum(treated) / len(treated) - sum(control) / len(control)
    rise_p = permutation_p(treated, control)
    # Were the rise as large as the margin, the treated values less that margin would be like the others.
    less = [value - math.log1p(margin) for value in treated]
    excluded_p = permutation_p([-value for value in less], [-value for value in control])
    if rise_p <= alpha / nr_measures and estimate > math.log1p(margin):
        verdict = "worse"
    else:
        verdict = "fine" if excluded_p <= alpha else "unclear"
    return verdict, math.exp(estimate), rise_p, excluded_p


class Prometheus:
    """The two requests that are needed, with a bound for time and size."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def _ask(self, path, **fields):
        request = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(fields)}"
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS_MAX) as answer:
                document = json.loads(answer.read(ANSWER_BYTES_MAX))
            if document.get("status") != "success":
                raise Trouble(f"{self.url}: {document.get('error', 'no success')}")
            return document["data"]["result"]
        except urllib.error.HTTPError as error:
            raise Trouble(f"{self.url}: {error}: {error.read(1000).decode(errors='replace')}") from error
        except (OSError, ValueError, KeyError) as error:
            raise Trouble(f"{self.url}: {error}; is it the address of a Prometheus?") from error

    def at(self, expression, when):
        """instance -> value."""
        return {row["metric"].get("instance", ""): float(row["value"][1]) for row in self._ask("query", query=expression, time=when)}

    def over(self, expression, start, end, step):
        """instance -> {moment: value}."""
        rows = self._ask("query_range", query=expression, start=start, end=end, step=step)
        return {row["metric"].get("instance", ""): {float(at): float(value) for at, value in row["values"]} for row in rows}


def logs(values):
    return {key: math.log(value) for key, value in values.items() if value > 0 and math.isfinite(value)}


def changes_by_host(prometheus, expression, window, before_end, after_end):
    """instance -> how much its logarithm rose, for hosts with data in both windows."""
    text = expression.replace("$window", f"{window}s")
    before, after = (logs(prometheus.at(text, end)) for end in (before_end, after_end))
    return {host: after[host] - before[host] for host in before.keys() & after.keys()}


def differences_by_block(prometheus, expression, treated, control, end, window):
    """For each block of the window that ends at `end`: mean of treated hosts less mean of control hosts."""
    block = max(1, window // BLOCKS)
    text = expression.replace("$window", f"{block}s")
    rows = {host: logs(values) for host, values in
            prometheus.over(text, end - window + block, end, block).items()}
    differences = []
    for moment in sorted({moment for values in rows.values() for moment in values}):
        sides = [[rows[host][moment] for host in side if moment in rows.get(host, {})] for side in (treated, control)]
        # A host that is missing would move the mean by itself.
        if [len(side) for side in sides] == [len(treated), len(control)]:
            differences.append(sum(sides[0]) / len(treated) - sum(sides[1]) / len(control))
    return differences


def look(prometheus, name, expression, hosts, times, limits):
    """One measure: {"measure", "verdict", "ratio", ...}. hosts: (treated, control). times: (window, end before, end after)."""
    treated, control = hosts
    window, before_end, after_end = times
    margin, alpha, nr_measures = limits
    changes = changes_by_host(prometheus, expression, window, before_end, after_end)
    sides = [[changes[host] for host in side if host in changes] for side in hosts]
    missing = sorted((set(treated) | set(control)) - changes.keys())
    # Half of the control hosts may be silent for reasons of their own; a treated one may not.
    if len(sides[0]) < len(treated) or not control or 2 * len(sides[1]) < len(control):
        return {"measure": name, "verdict": "no data", "missing": missing or ["no control host"]}
    samples = "hosts"
    if least_p(len(sides[0]), len(sides[1])) > alpha / nr_measures:
        samples = "blocks of time"
        control = [host for host in control if host in changes]
        sides = [differences_by_block(prometheus, expression, treated, control, end, window) for end in (after_end, before_end)]
        if min(map(len, sides)) < BLOCKS_MIN:
            return {"measure": name, "verdict": "no data", "missing": [f"blocks of time: {len(sides[0])} after, {len(sides[1])} before"]}
    verdict, ratio, rise_p, excluded_p = judge(*sides, margin, alpha, nr_measures)
    return {"measure": name, "verdict": verdict, "ratio": round(ratio, 4), "p_rise": rise_p, "p_margin_excluded": excluded_p,
            "samples": samples, "treated": len(sides[0]), "control": len(sides[1])}


def faults(prometheus, treated, window, when):
    """What no treated host may do, as lines."""
    return [f"{host} {what}" for what, expression in FAULTS.items()
            for host in sorted(prometheus.at(expression.replace("$window", f"{window}s"), when)) if host in treated]


def gate(prometheus, options):
    """The whole answer: {"verdict", "faults", "measures"}."""
    after_end = options.started + options.settle + options.window
    found = faults(prometheus, options.treated, options.window + options.settle, after_end)
    measures = {name: MEASURES[name] for name in options.measure if name != "class"}
    for cgroup in options.cgroup:
        # A regular expression within a string of PromQL: its backslashes are doubled.
        escaped = "".join(c if c.isalnum() or c in "/_-@:" else f"\\\\{c}" for c in cgroup)
        measures[cgroup] = MEASURES["class"].replace("$cgroup", escaped)
    limits = (options.margin / 100, options.alpha, len(measures))
    rows = [look(prometheus, name, expression, (options.treated, options.control), (options.window, options.started, after_end), limits)
            for name, expression in measures.items()]
    verdicts = {row["verdict"] for row in rows}
    order = ["worse", "no data", "unclear", "fine"]
    verdict = "worse" if found else next(name for name in order if name in verdicts)
    return {"schema": "punctual.gate", "version": 1, "verdict": verdict, "faults": found, "measures": rows}


def arguments(words):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--prometheus", required=True, metavar="URL")
    parser.add_argument("--treated", required=True, nargs="+", metavar="INSTANCE")
    parser.add_argument("--control", required=True, nargs="+", metavar="INSTANCE")
    parser.add_argument("--started", required=True, type=float, metavar="SECONDS", help="when the roll-out began, as of date +%%s")
    parser.add_argument("--settle", type=int, default=60, metavar="SECONDS", help="left out after that (default: 60)")
    parser.add_argument("--window", type=int, default=600, metavar="SECONDS", help="looked at, before and after (default: 600)")
    parser.add_argument("--measure", nargs="*", default=["all"], choices=["all"], help="p99 of all waits of a host")
    parser.add_argument("--cgroup", nargs="*", default=[], help="p99 of the waits below it; there on control hosts as well")
    parser.add_argument("--margin", type=float, default=20, metavar="PERCENT", help="a smaller rise does not matter (default: 20)")
    parser.add_argument("--alpha", type=float, default=0.05, help="how often chance may decide (default: 0.05)")
    options = parser.parse_args(words)
    if set(options.treated) & set(options.control):
        parser.error(f"both treated and control: {', '.join(sorted(set(options.treated) & set(options.control)))}")
    if not options.measure and not options.cgroup:
        parser.error("nothing to measure: give --measure all or --cgroup")
    if options.window < 2 * BLOCKS or options.settle < 0:
        parser.error(f"--window takes {2 * BLOCKS} seconds or more, --settle no negative ones")
    if not 0 < options.alpha < 1 or options.margin <= 0:
        parser.error("--alpha is between 0 and 1, --margin above 0")
    return options


def main(words):
    options = arguments(words)
    # What is asked for lies in the past by then: Prometheus answers for a moment that is still to come with what it has now.
    remaining = options.started + options.settle + options.window - time.time()
    if remaining > 0:
        print(f"gate: the window ends in {remaining:.0f} s: wait first", file=sys.stderr)
        return 2
    try:
        answer = gate(Prometheus(options.prometheus), options)
    except Trouble as trouble:
        print(f"gate: {trouble}", file=sys.stderr)
        return 1
    print(json.dumps(answer, indent=1))
    return EXIT[answer["verdict"]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
