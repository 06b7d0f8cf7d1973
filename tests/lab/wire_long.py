# SPDX-License-Identifier: GPL-2.0-only
"""Ten runs with real packets of each kind, by the clock of the host, under EEVDF and scx_latency: is every packet accounted for?
And the same packets in virtual time. Prints two tables.

  wire_long.py            the tables, a quarter of an hour
  wire_long.py --write    puts them into docs/performance.md
"""
import json
import pathlib
import sys

import reliability
from guest import WALL, lab, punctual

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs/performance.md"
BEGIN_RUNS = "<!-- by: make wire-long -->"
BEGIN_VIRTUAL = "<!-- by: make wire-long, in virtual time -->"
INVALID = 4
VIRTUAL = ("--lab", "--arms", "eevdf,fifo,scx_latency=60us", "--background", "spin", "--pps", "20k", "--duration", "200ms",
           "--warmup", "50ms", "--settle", "100ms")
PLANES = ("udp", "recvmmsg", "af_packet")


def wall_runs():
    ended = lab("python3", "-B", f"{HERE}/inside/wire_runs.py",
                options=(*WALL, "--cpus", "2", "--module", "veth", "--include", f"{HERE}/inside", "--timeout", "40m"))
    if ended.status != 0:
        sys.exit(ended.err.decode(errors="replace"))
    return json.loads(ended.out)


def way_text(lost, way):
    stages = {stage.removeprefix(f"{way}_"): count for stage, count in lost.items() if stage.startswith(way) and count > 0}
    return ", ".join(f"{count:,} {stage}" for stage, count in stages.items()) or "0"


def runs_table(rows):
    lines = ["| load | packets over | arm | runs | generator too late in | scheduled | not sent | lost to the packet function | "
             "not forwarded | lost to the sink | delivered | residue of the worst run |",
             "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        cells = (row["load"], row["plane"], row["arm"], row["valid"], row["limited"], f"{row['scheduled']:,}", row["not_sent"],
                 way_text(row["lost"], "to_function"), row["not_forwarded"], way_text(row["lost"], "to_sink"),
                 f"{row['delivered']:,}", row["residue"])
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def virtual_rows(plane):
    ended = punctual("bench", *VIRTUAL, "--packets", plane, "--json")
    if ended.status != 0:
        sys.exit(str(ended))
    for arm in json.loads(ended.out)["arms"]:
        times = (arm[name] / 1000 for name in ("p50_ns", "p99_ns", "p999_ns", "max_ns"))
        switches = arm["context_switches"]
        yield (plane, arm["name"], *(f"{us:.1f}" for us in times), f"{100 * arm['dropped'] / arm['offered']:.1f}",
               f"{100 * arm['background_relative']:.0f}", f"{switches * 10**9 // arm['window_ns']:,}",
               f"{100 * arm['vnf_cpu_ns'] / arm['window_ns']:.1f}", arm["packets"]["residue"])


def virtual_table():
    lines = ["| packets over | arm | p50 us | p99 us | p99.9 us | max us | drop % | background % | switches/s | packet CPU % | residue |",
             "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    lines += [f"| {' | '.join(map(str, row))} |" for plane in PLANES for row in virtual_rows(plane)]
    return "\n".join(lines)


def main(arguments):
    found = wall_runs()
    tables = {BEGIN_RUNS: runs_table(found["rows"]), BEGIN_VIRTUAL: virtual_table()}
    print(*tables.values(), json.dumps(found["overdriven"]), sep="\n\n")
    if "--write" in arguments:
        for begin, table in tables.items():
            reliability.write_table(begin, table, DOCUMENT)
    overdriven = found["overdriven"]
    refused = overdriven["status"] == INVALID and overdriven["printed"] == 0 and overdriven["residue"] == 0
    return 0 if refused and all(row["residue"] == 0 for row in found["rows"]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
