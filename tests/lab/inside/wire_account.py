# SPDX-License-Identifier: GPL-2.0-only
"""A bench with real packets inside a lab guest with two CPUs, and what it tells of its packets when it is invalid."""
import re

INVALID = 4
SHORT = ["--background", "spin", "--warmup", "100ms", "--cpus", "0", "--json"]
ARMS = ("eevdf", "scx_latency=200ms")
# In both packets wait long, so that the generator may be as late as an emulated machine on a busy host makes it. In the first they
# take a quarter of a CPU, on an emulated one more, and there is room for all that wait; in the second they would take three CPUs,
# and most of them are lost.
LOADS = {"carried": ("--pps", "500", "--work", "500us", "--ring", "4096"),
         "overload": ("--pps", "1k", "--work", "3ms", "--ring", "64")}
OVERDRIVEN = ("--pps", "2M", "--duration", "300ms")


def bench_command(plane, arm, *options, settle="10ms"):
    return ["punctual", "bench", "--packets", plane, "--arms", arm, *SHORT, "--settle", settle, *options]


def stages_in(said):
    """What the message of an invalid run tells of the way, by the names of the JSON document."""
    stages = {}
    for way in ("to_function", "to_sink"):
        name = "the packet function" if way == "to_function" else "the sink"
        found = re.search(rf"lost to {name}: (\d+) qdisc, (\d+) veth, (\d+) backlog, (\d+) socket, (\d+) ring", said)
        for stage, count in zip(("qdisc", "veth", "backlog", "socket", "ring"), found.groups()):
            stages[f"{way}_{stage}"] = int(count)
    stages["residue"] = int(re.search(r"residue (\d+)", said)[1])
    return stages
