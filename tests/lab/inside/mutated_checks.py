# SPDX-License-Identifier: GPL-2.0-only
"""Damaged scheduler objects on a real kernel: mutated_checks.py SEEDS OBJECT... LARGE_OBJECT; SEEDS as in "0-14,711".

Each seed makes one object, always the same. It has to be refused, or run until its command has ended, or be ejected; the
loader must not crash or hang, and EEVDF must run afterwards. The last line on stdout is JSON: how many ended how."""
import collections
import json
import pathlib
import random
import struct
import subprocess
import sys
import time

from running import sched_ext, wait_disabled

HANG_S = 600   # the host may be busy
SECTIONS_MAX = 256
LARGE_EVERY = 16   # the kernel takes fifteen times as long to verify scx_latency as the small ones
OUTCOMES = {0: "ran", 1: "refused", 2: "refused", 3: "refused", 5: "ejected"}
OBJECT = pathlib.Path("/tmp/mutated.bpf.o")
NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, 0xffffffff]


def sections_of(elf):
    """(begin, end) of each section that has bytes in the file, and of the table of sections itself."""
    begin, = struct.unpack_from("<Q", elf, 0x28)
    size, count = struct.unpack_from("<HH", elf, 0x3A)
    spans = [(0, 64), (begin, begin + size * count)]
    for index in range(min(count, SECTIONS_MAX)):
        kind, = struct.unpack_from("<I", elf, begin + size * index + 4)
        at, length = struct.unpack_from("<QQ", elf, begin + size * index + 0x18)
        if kind != 8 and length:  # SHT_NOBITS has none
            spans.append((at, at + length))
    return spans


def mutated(elf, seed):
    """One to thirty-two changes, most in one section: a section of relocations is as likely as a large one of types."""
    dice = random.Random(seed)
    spans = sections_of(elf)
    data = bytearray(elf)
    span = dice.choice(spans)
    for _ in range(dice.choice([1, 1, 2, 4, 8, 32])):
        begin, end = span if dice.random() < 0.8 else (0, len(data))
        at = dice.randrange(begin, end)
        what = dice.randrange(4)
        if what == 0:
            data[at] ^= 1 << dice.randrange(8)
        elif what == 1:
            data[at] = dice.randrange(256)
        elif what == 2:
            width = dice.choice([1, 2, 4])
            data[at:at + width] = (dice.choice(NUMBERS) & ((1 << 8 * width) - 1)).to_bytes(width, "little")
        else:
            other = dice.randrange(begin, end)
            data[at], data[other] = data[other], data[at]
    if dice.random() < 0.02:
        del data[dice.randrange(len(data)):]
    return bytes(data)


def outcome_of(seed):
    # The watchdog is short: what never dispatches its tasks is ejected after a second, and its command ends.
    try:
        process = subprocess.run(["punctual", "run", OBJECT, "--timeout", "1s", "--", "true"], stdin=subprocess.DEVNULL,
                                 capture_output=True, check=False, timeout=HANG_S)
    except subprocess.TimeoutExpired as hang:
        raise AssertionError(f"seed {seed}: the loader hangs") from hang
    said = process.stderr.decode(errors="replace").strip()
    if process.returncode not in OUTCOMES:
        raise AssertionError(f"seed {seed}: the loader ended with {process.returncode}: {said}")
    wait_disabled()
    if sched_ext("root/ops"):
        raise AssertionError(f"seed {seed}: {sched_ext('root/ops')} is still loaded")
    return OUTCOMES[process.returncode]


def seeds_of(text):
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def main(seeds, objects):
    *small, large = [pathlib.Path(path).read_bytes() for path in objects]
    outcomes = collections.Counter()
    began = time.monotonic()
    for seed in seeds_of(seeds):
        print(f"seed {seed}", file=sys.stderr, flush=True)   # the last one, should the guest end here
        original = large if seed % LARGE_EVERY == 0 else small[seed % len(small)]
        OBJECT.write_bytes(mutated(original, seed))
        outcomes[outcome_of(seed)] += 1
    print(json.dumps({"objects": outcomes.total(), **{name: outcomes[name] for name in ("refused", "ran", "ejected")},
                      "seconds": round(time.monotonic() - began)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
