// SPDX-License-Identifier: GPL-2.0-only
// What `punctual runq` has to say of one interval.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "abi/sched.h"
#include "measure/waits.h"
#include "runq/collector.h"
#include "view/waits_text.h"

namespace punctual {

// The classes of scx_latency count their waits themselves, from runnable to running.
struct SchedulerWaits {
	std::string scheduler;  // "": the kernel's own
	std::vector<class_stats> classes;
};

struct RunqWindow {
	u64 number = 0;  // from 1 on
	u64 begin_ns = 0;
	WaitSnapshot waits;
	WaitsBy by = WaitsBy::kind;
	SchedulerWaits scheduler;
	std::optional<std::vector<WaitOutlier>> outliers;  // when asked for
	std::optional<ProbeCost> cost;                     // when asked for: since the first window began
	bool partial = false;                              // a signal ended it
};

// What is loaded now, with its counts; nothing when there is no such scheduler.
SchedulerWaits read_scheduler_waits();

// Counts of the window; a scheduler that was loaded meanwhile counts from its beginning.
SchedulerWaits scheduler_waits_between(const SchedulerWaits& before, const SchedulerWaits& after);

std::string runq_text(const RunqWindow& window);

}  // namespace punctual
