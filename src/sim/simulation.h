// SPDX-License-Identifier: GPL-2.0-only
// The simulator: one machine, one workload, scx_latency, and nothing random but what the seed says.
//
// It answers "what does the policy decide, and what follows from that", not "how fast is it". Time passes for
// context switches, interrupts between CPUs, late timers and sections in which a task cannot be preempted.
// Not modelled: caches and memory (a task runs equally fast everywhere), SMT siblings, frequency, interrupts
// that take time from tasks, the time that callbacks take, tasks of other classes (real time, deadline), sleeping
// tasks on the CPU of their waker (WAKE_SYNC), budgets of nested cgroups (a class is a cgroup, beside the tree of
// groups with weights), groups that come and go, the kernel's batches of queue moves, CPU clocks that differ, and the
// fair scheduler itself (after an ejection tasks take turns at ticks).
#pragma once

#include "sim/record.h"
#include "sim/scenario.h"

namespace punctual::sim {

Outcome simulate(const Scenario& scenario);

}  // namespace punctual::sim
