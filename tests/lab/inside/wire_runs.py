# SPDX-License-Identifier: GPL-2.0-only
"""Runs with real packets, until ten of each kind were not limited by the generator: where their packets went. Runs inside a
lab guest with two CPUs, the second for the generator. Prints one JSON document.

A run that the generator limited has no figures, but its packets are accounted for all the same: it counts there, too."""
import json
import subprocess
import sys

from wire_account import ARMS, INVALID, LOADS, OVERDRIVEN, bench_command, stages_in

RUNS = 10
TRIES_MAX = 40
STAGES = [f"{way}_{stage}" for way in ("to_function", "to_sink") for stage in ("qdisc", "veth", "backlog", "socket", "ring")]


def run_once(plane, arm, load, seed):
    """Did the generator keep up, and the account of the packets."""
    command = bench_command(plane, arm, *LOADS[load], "--seed", str(seed))
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ended.returncode == INVALID and "generator-limited" in ended.stderr:
        return False, stages_in(ended.stderr)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(command)}: status {ended.returncode}: {ended.stderr}")
    return True, json.loads(ended.stdout)["arms"][0]["packets"]


def row_of(plane, arm, load):
    valid = tries = 0
    row = {"plane": plane, "arm": arm, "load": load, "scheduled": 0, "not_sent": 0, "not_forwarded": 0, "delivered": 0, "residue": 0,
           "lost": dict.fromkeys(STAGES, 0)}
    while valid < RUNS:
        if tries == TRIES_MAX:
            sys.exit(f"{plane}, {arm}, {load}: the generator was the limit in {tries - valid} of {tries} runs")
        well, packets = run_once(plane, arm, load, tries)
        tries += 1
        valid += well
        row["residue"] = max(row["residue"], packets["residue"])
        if not well:
            continue
        for name in ("scheduled", "not_sent", "not_forwarded", "delivered"):
            row[name] += packets[name]
        for stage in STAGES:
            row["lost"][stage] += packets[stage]
    return {**row, "valid": valid, "limited": tries - valid}


def overdriven():
    """How a generator ended from which far too much was asked."""
    ended = subprocess.run(bench_command("udp", "eevdf", *OVERDRIVEN), stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, check=False)
    return {"status": ended.returncode, "printed": len(ended.stdout), "said": ended.stderr.strip(),
            "residue": stages_in(ended.stderr)["residue"]}


def main():
    rows = []
    for load in LOADS:
        for plane in ("udp", "recvmmsg", "af_packet"):
            for arm in ARMS:
                rows.append(row_of(plane, arm, load))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    print(json.dumps({"runs": RUNS, "rows": rows, "overdriven": overdriven()}))


if __name__ == "__main__":
    main()
