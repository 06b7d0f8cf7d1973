// SPDX-License-Identifier: GPL-2.0-only
// The waits of the classes of scx_latency, from runnable to running, as the scheduler counts them.
#pragma once

#include <cstdint>
#include <vector>

#include "abi/sched.h"

namespace punctual {

// The rows in use of the map "class_stats", summed over CPUs. Empty when the map cannot be read.
std::vector<class_stats> read_classes(int map_fd);

// What was counted from `before` to `after`, two readings of one row. The maxima stay those since the
// scheduler was loaded: a counter cannot forget.
class_stats class_waits_between(const class_stats& before, const class_stats& after);

// The mean wait, apart: until a CPU took the task out of the scheduler's queue, which is what the policy decides, and
// until it ran there, which is the kernel's way through a switch. 0: no waits.
struct WaitParts {
	uint64_t queue_ns = 0;
	uint64_t start_ns = 0;
};

WaitParts mean_parts(const class_stats& row);

// Upper end of the bucket that holds the quantile, and never more than the maximum. 0: no waits.
uint64_t wait_quantile_ns(const class_stats& row, double quantile);

}  // namespace punctual
