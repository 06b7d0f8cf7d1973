# SPDX-License-Identifier: GPL-2.0-only
"""Records tests/recordings/mixed-load.decisions anew: the load of the replay test in the lab, shortened. Needed when
the layout of records or what the policy decides was changed on purpose; tests/unit/recordings_test.cpp says so."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))
import replay_test   # noqa: E402 (found by the line above)
from guest import VIRTUAL   # noqa: E402

KEEP = 60   # of each kind: about 80 kB


def main():
    ended = replay_test.record(0.5, 100_000, str(KEEP), options=VIRTUAL)
    print(ended.err.decode(errors="replace"), file=sys.stderr)
    if ended.status != 0 or not ended.out:
        sys.exit("nothing was recorded")
    (HERE / "mixed-load.decisions").write_bytes(ended.out)
    print(f"{len(ended.out)} bytes in {HERE}/mixed-load.decisions")


if __name__ == "__main__":
    main()
