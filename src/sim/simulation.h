// SPDX-License-Identifier: GPL-2.0-only
// The simulator: one machine, one workload, one scheduler, and nothing random but what the seed says.
//
// It answers "what does the policy decide, and what follows from that". Time passes for context switches, interrupts,
// ticks, timers, the way into sleep, interrupts between CPUs, and sections in which a task cannot be preempted:
// as much as CostSpec says (costs.h has what the lab measured). Threads of a core slow each other down.
// Not modelled: caches and memory (a task runs equally fast everywhere), frequency, the time that an interrupt from
// another CPU takes from its receiver, tasks of other classes beside those of the scenario, sleeping tasks on the CPU
// of their waker (WAKE_SYNC), budgets of nested cgroups (a class is a cgroup, beside the tree of groups with weights),
// groups that come and go, the kernel's batches of queue moves, CPU clocks that differ, and after an ejection the fair
// scheduler (tasks take turns at ticks; as a policy of its own it is in fair_shell.h).
#pragma once

#include <functional>

#include "sim/record.h"
#include "sim/scenario.h"

namespace punctual::sim {

// Asked now and then with the time that the run has come to; false ends the run there.
using Watcher = std::function<bool(u64 now_ns)>;

Outcome simulate(const Scenario& scenario, const Watcher& watcher = {});

}  // namespace punctual::sim
