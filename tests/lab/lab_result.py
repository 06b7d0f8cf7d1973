# SPDX-License-Identifier: GPL-2.0-only
"""Writes docs/lab-result.md and docs/frontier.svg: the lab's result, as two commands print it. Takes some twenty minutes."""
import pathlib
import shlex
import subprocess
import sys

from guest import PUNCTUAL

DOCS = pathlib.Path(__file__).parents[2] / "docs"
STORY = "bench --lab --background python --arms eevdf,scx_latency=60us --starts 10"
BUDGETS = ("5us", "10us", "20us", "40us", "60us", "100us", "200us", "500us", "1ms")
FRONTIER = ("bench --lab --background spin --arms eevdf,eevdf-slice,eevdf-nice,fifo," +
            ",".join(f"scx_latency={budget}" for budget in BUDGETS))
TEXT = """# The lab's result

<!-- by: make lab-result -->

A packet function with 60,000 packets/s shares one CPU with two processes of Python telemetry, in virtual time (one
instruction is one nanosecond), on Debian's kernel 6.18. What is below was printed by these commands; `make lab-result`
runs them again and writes this page. The same commands give the same figures, on any machine.

## The kernel's own scheduler against a budget of 60 us

Ten runs of each, every one with other arrival times and another phase against the kernel's ticks. In brackets: the least
and the most of the runs.

```
$ punctual {story}
{story_output}```

## What a shorter wait costs

Two processes that only compute beside the packet function, and budgets from 5 us to 1 ms. The stepped line joins the
arms that no other one beats in both: everything above and left of it pays without need.

![p99 against background work, one point for each arm](frontier.svg)

```
$ punctual {frontier}
{frontier_output}```
"""


def printed(command, *options):
    ended = subprocess.run([PUNCTUAL, *shlex.split(command), *options], stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(f"punctual {command}: status {ended.returncode}")
    return ended.stdout


def main():
    text = TEXT.format(story=STORY, story_output=printed(STORY), frontier=FRONTIER,
                       frontier_output=printed(FRONTIER, "--frontier", str(DOCS / "frontier.svg")))
    (DOCS / "lab-result.md").write_text(text)


if __name__ == "__main__":
    main()
