# SPDX-License-Identifier: GPL-2.0-only
"""For how long a CPU idled while a task that may run on it waited, from the kernel's own trace of wakeups and switches.
Resolution: an event, in nanoseconds of the guest's clock."""
import re

TRACING = "/sys/kernel/tracing/"
EVENTS = ("sched_switch", "sched_wakeup", "sched_wakeup_new")
BUFFER_KIB = 16384   # a CPU
LINE = re.compile(r"\[(\d+)\] \S+ +(\d+)\.(\d{6}): (\w+): (.*)")
SWITCH = re.compile(r"prev_pid=(\d+) .*prev_state=(\S+) ==> .*next_pid=(\d+)")
WAKEUP = re.compile(r" pid=(\d+) ")


def write(name, text):
    with open(TRACING + name, "w", encoding="ascii") as file:
        file.write(text)


class Trace:
    """Of what happens inside the with statement."""

    def __enter__(self):
        write("tracing_on", "0")
        write("trace_clock", "mono")
        write("buffer_size_kb", str(BUFFER_KIB))
        write("trace", "")
        for event in EVENTS:
            write(f"events/sched/{event}/enable", "1")
        write("tracing_on", "1")
        return self

    def __exit__(self, *unused):
        write("tracing_on", "0")
        for event in EVENTS:
            write(f"events/sched/{event}/enable", "0")

    def events(self):
        """(us, cpu, kind, rest of the line), in their order."""
        with open(TRACING + "trace", encoding="ascii", errors="replace") as file:
            for line in file:
                match = LINE.search(line)
                if match:
                    yield int(match[2]) * 1_000_000 + int(match[3]), int(match[1]), match[4], match[5]


def idle_while_waiting(events, allowed):
    """The lengths in us of the times in which a CPU of allowed[pid] idled while that task waited, and how long the trace is."""
    waiting, running, idle = set(), set(), set()
    lengths, since_us, first_us, now_us = [], None, None, 0
    for now_us, cpu, kind, text in events:
        first_us = now_us if first_us is None else first_us
        if kind == "sched_switch":
            prev, state, following = SWITCH.search(text).groups()
            prev, following = int(prev), int(following)
            running.discard(prev)
            if prev in allowed and state.startswith("R"):
                waiting.add(prev)
            waiting.discard(following)
            running.add(following)
            (idle.add if following == 0 else idle.discard)(cpu)
        elif (pid := int(WAKEUP.search(" " + text)[1])) in allowed and pid not in running:
            waiting.add(pid)
        broken = any(allowed[pid] & idle for pid in waiting)
        if broken and since_us is None:
            since_us = now_us
        elif not broken and since_us is not None:
            lengths.append(now_us - since_us)
            since_us = None
    if since_us is not None:
        lengths.append(now_us - since_us)
    return lengths, now_us - (first_us or 0)
