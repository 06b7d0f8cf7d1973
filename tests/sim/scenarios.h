// SPDX-License-Identifier: GPL-2.0-only
// Scenarios that tests share: small ones by hand, and random ones from a seed.
#pragma once

#include "sim/simulation.h"

namespace punctual::sim {

// The usual guests: a packet function at 60,000 packets/s, a spinner, a telemetry process that is often in the kernel.
TaskSpec packet_function(u32 class_index, u64 interval_ns = 16'667);
TaskSpec spinner(u32 class_index = kNoClass);
TaskSpec telemetry();

// Every invariant that the audit looks for may be expected of it.
Scenario random_scenario(u64 seed);
Scenario random_large_scenario(u64 seed);  // of up to CPUS_MAX CPUs

// One that also keeps the promises about waits: what the classes ask for is little enough.
Scenario random_admitted_scenario(u64 seed);

// The longest wait that an admitted class may see: its budget, the reserve, a grain of the floor, the longest
// section without preemption, and what switching costs.
u64 longest_wait_ns(const Scenario& scenario, const Outcome& outcome, u32 class_index);

}  // namespace punctual::sim
