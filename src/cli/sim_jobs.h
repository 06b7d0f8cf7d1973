// SPDX-License-Identifier: GPL-2.0-only
// Many simulations side by side: part of the sim command. Each is a point of a study: a load on a machine, all
// policies, so many starts. What comes out does not depend on how many threads there are.
#pragma once

#include <string>
#include <vector>

#include "base/stop.h"
#include "bench/result.h"
#include "sim/load.h"

namespace punctual {

struct SimStudy {
	std::vector<sim::SimLoad> points;
	std::vector<sim::PolicyChoice> policies;
	sim::CostTable costs;
	u64 seed = 1;
	u64 nr_starts = 1;
	u32 nr_threads = 0;  // 0: one a CPU of this machine
};

struct SimPointResult {
	std::vector<BenchResult> starts;  // in which every policy has run; when stopped the first may have fewer
};

struct SimStudyResult {
	std::vector<SimPointResult> points;
	u64 nr_events = 0;
	bool was_stopped = false;
};

// Shows its progress on a terminal. A signal ends all runs where they are; the one under way counts as far as it came.
SimStudyResult run_study(const SimStudy& study, StopSignal& stop);

}  // namespace punctual
