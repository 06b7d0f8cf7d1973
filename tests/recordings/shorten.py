# SPDX-License-Identifier: GPL-2.0-only
"""shorten.py FILE OUT N (OUT may be -): of a recording of decisions (abi/decision.h) at most N of each kind, evenly spread, in the
order in which they came. For recordings that become tests: what a kind decides repeats itself."""
import collections
import struct
import sys

FILE_HEAD = 80      # struct decision_file_head
RECORD_HEAD = "<QIHH"   # struct decision_head: time_ns, cpu, kind, bytes
DECISION_END = 0


def records(data):
    """(kind, record) of all whole records."""
    at = FILE_HEAD
    while at + struct.calcsize(RECORD_HEAD) <= len(data):
        _, _, kind, size = struct.unpack_from(RECORD_HEAD, data, at)
        if size < struct.calcsize(RECORD_HEAD) or at + size > len(data):
            break
        yield kind, data[at:at + size]
        at += size


def shortened(data, keep):
    counts = collections.Counter(kind for kind, _ in records(data))
    seen = collections.Counter()
    out = [data[:FILE_HEAD]]
    for kind, record in records(data):
        nr = seen[kind]
        seen[kind] += 1
        # The nr-th of count is kept when it begins another N-th part of them.
        is_next = nr == 0 or nr * keep // counts[kind] != (nr - 1) * keep // counts[kind]
        if kind == DECISION_END or is_next:
            out.append(record)
    return b"".join(out)


def main(file, out, keep):
    with open(file, "rb") as recording:
        data = recording.read()
    if not data.startswith(b"PUNCDEC\0"):
        sys.exit(f"{file} is not a recording of decisions")
    short = shortened(data, int(keep))
    if out == "-":
        sys.stdout.buffer.write(short)
        return
    with open(out, "wb") as file_out:
        file_out.write(short)


if __name__ == "__main__":
    main(*sys.argv[1:])
