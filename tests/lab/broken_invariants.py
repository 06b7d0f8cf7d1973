# SPDX-License-Identifier: GPL-2.0-only
"""The invariants of invariant_test.py, each with scx_latency broken so that its check must fail: broken_invariants.py [I3 ...].
Prints a row of the table in docs/testing.md for each; status 1 when a fault went unnoticed."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

from invariant_test import checks

ROOT = pathlib.Path(__file__).parents[2]
CLANG = shutil.which("clang-19") or "clang"
# invariant -> (CPUs, what is broken, file, [(line, broken as)])
FAULTS = {
    "I1": ("2", "nobody looks for an idle CPU", "bpf/scx_latency.bpf.c",
           [("	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);", "	s32 cpu = prev_cpu;"),
            ("	s32 idle = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);", "	s32 idle = -1;")]),
    "I3": ("1", "no timer is armed for the last safe moment", "bpf/latency_timer.bpf.h",
           [("	if (cpu_state->timer_at_ns && cpu_state->timer_at_ns <= at_ns)\n		return;", "	return;")]),
    "I4": ("1", "no class is ever over its cap", "bpf/latency_state.bpf.h",
           [("	return over_cap(class->account, state->quota_ns);", "	return false;")]),
    "I5": ("1", "normal tasks are owed nothing", "policy/floor.h",
           [("	owed_ns += ran_ns * tunables->rate >> FLOOR_RATE_SHIFT;", "")]),
}


def build(folder, file, changes):
    """The object of scx_latency with these lines changed."""
    for part in ("abi", "bpf", "policy"):
        shutil.copytree(ROOT / part, folder / part)
    text = (folder / file).read_text()
    for line, broken in changes:
        if text.count(line) != 1:
            sys.exit(f"{file} has this line {text.count(line)} times, not once:\n{line}")
        text = text.replace(line, broken)
    (folder / file).write_text(text)
    made = folder / "broken.bpf.o"
    subprocess.run([CLANG, "-target", "bpf", "-mcpu=v3", "-std=gnu23", "-g", "-O2", f"-I{folder}", "-c",
                    folder / "bpf/scx_latency.bpf.c", "-o", made], check=True)
    return made


def noticed(invariant, cpus, file, changes):
    with tempfile.TemporaryDirectory(prefix="punctual-broken-") as folder:
        broken = build(pathlib.Path(folder), file, changes)
        ended = checks(invariant, cpus=cpus, options=("--include", str(broken), "--env", f"SCHEDULER={broken}"))
    said = (ended.out + ended.err).decode(errors="replace")
    print(said, file=sys.stderr)
    return "FAILED (failures=" in said


def main(chosen):
    missed = 0
    for invariant in chosen or FAULTS:
        cpus, fault, file, changes = FAULTS[invariant]
        seen = noticed(invariant, cpus, file, changes)
        missed += not seen
        print(f"| {invariant} | {fault} | `{file}` | {'yes' if seen else 'NO'} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
