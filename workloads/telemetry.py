#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Telemetry: the batch job that shares its CPUs with a packet function.

Each batch collects the counters of the machine from /proc, turns them into rates, keeps percentiles
over the last batches, encodes all of it as JSON and compresses the document, as an agent does before
it ships one. It never sleeps, so it takes whatever CPU time the scheduler gives it.

A batch is cut into steps of similar size; `punctual bench` counts steps, since whole batches would be
too coarse for a window of one second.

    telemetry.py [SECONDS]     run by hand and print the batches per second
"""
import json
import mmap
import os
import resource
import sys
import time
import zlib

HISTORY = 16        # batches that the percentiles look back on
COLUMNS = 8         # of a line, as a machine may have hundreds of CPUs
GROUP = 16          # counters a step
SLOT_WORDS = 16     # of the board: see struct BoardSlot in src/bench/board.h


def read(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        parts = []
        while part := os.read(fd, 65536):
            parts.append(part)
        return b"".join(parts).decode("ascii", "replace")
    finally:
        os.close(fd)


def columns(text, wanted):
    """"name v v v" a line, as in /proc/stat: the first columns of the wanted lines."""
    values = {}
    for line in text.splitlines():
        name, *rest = line.split()
        if name.startswith(wanted):
            for column, value in enumerate(rest[:COLUMNS]):
                values[f"{name}{column}"] = int(value)
    return values


def pairs(text, wanted):
    """"name: value unit" or "name value" a line, as in /proc/meminfo and /proc/vmstat."""
    values = {}
    for line in text.splitlines():
        if line.startswith(wanted):
            name, value = line.split()[:2]
            values[name] = int(value)
    return values


def fields(text, wanted):
    """White-space separated numbers, as in /proc/uptime and, after the name, in /proc/self/stat."""
    values = {}
    for index, field in enumerate(text.rpartition(") ")[2].split()):
        if index in wanted:
            values[str(index)] = float(field)
    return values


SOURCES = (
    ("/proc/stat", columns, ("cpu", "ctxt", "processes", "procs", "softirq")),
    ("/proc/meminfo", pairs, ("Mem", "Cached", "Dirty", "Slab", "AnonPages", "Committed")),
    ("/proc/loadavg", fields, (0, 1, 2)),
    ("/proc/vmstat", pairs, ("pgfault", "pgmajfault", "pgpg", "psw", "pgscan_", "nr_dirty ", "nr_writeback ")),
    ("/proc/net/dev", columns, ("lo:", "e", "w")),
    ("/proc/self/stat", fields, (7, 11, 12, 17, 20, 21)),
    ("/proc/self/status", pairs, ("VmRSS", "VmSize", "Threads", "voluntary", "nonvoluntary")),
    ("/proc/self/io", pairs, ("rchar", "wchar", "sysc")),
    ("/proc/uptime", fields, (0, 1)),
    ("/proc/softirqs", columns, ("TIMER", "NET", "SCHED", "RCU")),
)


class Collector:
    """One batch after the other; steps() hands the batch out in pieces."""

    def __init__(self):
        self.sources = [source for source in SOURCES if os.access(source[0], os.R_OK)]
        self.last = {}
        self.history = {}
        self.batches = 0
        self.bytes = 0

    def collect(self, path, parse, wanted, counters):
        for name, value in parse(read(path), wanted).items():
            counters[f"{path}:{name}"] = value

    def rates(self, now_ns, names, counters, report):
        """Change a second since the batch before."""
        before, then_ns = self.last.get("counters", {}), self.last.get("time_ns", now_ns)
        span_ns = max(now_ns - then_ns, 1)
        for name in names:
            value = counters[name]
            report[name] = {"value": value, "rate": int((value - before.get(name, value)) * 1e9 / span_ns)}

    def percentiles(self, names, counters, report):
        for name in names:
            value = counters[name]
            kept = self.history.get(name)
            if kept is None:    # full from the start, so that every batch costs the same
                kept = self.history[name] = [value] * HISTORY
            kept.append(value)
            del kept[0]
            ordered = sorted(kept)
            report[name]["p50"] = ordered[len(ordered) // 2]
            report[name]["p99"] = ordered[len(ordered) * 99 // 100]

    def steps(self):
        """The steps of one batch, as callables. Lists are cut so that no step dwarfs the others."""
        counters, texts = {}, []
        now_ns = time.monotonic_ns()
        for path, parse, wanted in self.sources:
            yield lambda: self.collect(path, parse, wanted, counters)
        names = sorted(counters)
        for group in (names[i:i + GROUP] for i in range(0, len(names), GROUP)):
            part = {}
            yield lambda: self.rates(now_ns, group, counters, part)
            yield lambda: self.percentiles(group, counters, part)
            yield lambda: texts.append(json.dumps(part))
        packer = zlib.compressobj(6)
        packed = []
        for text in texts:
            yield lambda: packed.append(packer.compress(text.encode()))
        yield lambda: packed.append(packer.flush())
        self.bytes += sum(map(len, packed))
        self.last = {"counters": counters, "time_ns": now_ns}
        self.batches += 1


def endless_steps(collector):
    while True:
        yield from collector.steps()


def progress(work, batches):
    """struct Progress of src/bench/board.h."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return work, batches, time.process_time_ns(), used.ru_nvcsw, used.ru_nivcsw


def readings(text, words):
    """For each edge of the window: the descriptors of perf events, each with the words that its values go to."""
    edges = [], []
    for group in filter(None, text.split(",")):
        descriptor, start, end, length = map(int, group.split(":"))
        for edge, place in zip(edges, (start, end)):
            edge.append((descriptor, words[place:place + length]))
    return edges


def serve(gate_fd, board_fd, slot, counters):
    """Under `punctual bench`: wait at the gate, then note the progress at both edges of the window."""
    words = memoryview(mmap.mmap(board_fd, 0)).cast("Q")
    base = (1 + slot) * SLOT_WORDS
    collector = Collector()
    for step in collector.steps():     # imports, caches and code paths are warm before the gate opens
        step()
    collector.batches = 0
    words[base + 12] = sys.hexversion
    words[base] = 1
    os.read(gate_fd, 8)
    at_start, at_end = readings(counters, words)
    edges = [(words[0], base + 2, at_start), (words[1], base + 7, at_end)]
    edge_ns, place, counted = edges.pop(0)
    work = 0
    for step in endless_steps(collector):
        step()
        # A step across an edge belongs to neither side of it, so it is counted after the test.
        while time.monotonic_ns() >= edge_ns:
            for offset, value in enumerate(progress(work, collector.batches)):
                words[place + offset] = value
            for descriptor, into in counted:
                os.readv(descriptor, [into])
            if not edges:
                words[base + 1] = 1
                edge_ns = 1 << 63
            else:
                edge_ns, place, counted = edges.pop(0)
        work += 1


def by_hand(seconds):
    collector = Collector()
    start = time.monotonic()
    work = 0
    for step in endless_steps(collector):
        step()
        work += 1
        if (span := time.monotonic() - start) >= seconds:
            break
    print(f"{collector.batches / span:.1f} batches/s, {work / span:.0f} steps/s, "
          f"{collector.bytes // max(collector.batches, 1)} bytes a batch")


def main(arguments):
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write("telemetry")
    given = dict(argument[2:].split("=") for argument in arguments if argument.startswith("--"))
    if given:
        serve(int(given["gate"]), int(given["board"]), int(given["slot"]), given.get("counters", ""))
    else:
        by_hand(float(arguments[0]) if arguments else 1.0)


if __name__ == "__main__":
    main(sys.argv[1:])
