// SPDX-License-Identifier: GPL-2.0-only
// What a roll-out sets out to do. Pure text in, values out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu_list.h"
#include "base/result.h"
#include "base/units.h"
#include "bench/rollout_rule.h"

namespace punctual {

constexpr uint64_t kRolloutPairsMax = 256;
constexpr size_t kRolloutStepsMax = 16;

struct RolloutPlan {
	std::vector<CpuList> steps = {};  // where the scheduler's policy applies, step by step
	uint64_t nr_pairs = 0;            // of each step
	uint64_t seed = 1;                // draws the order of runs
	KeepRule rule = {};
	bool stays = true;  // loaded at the end, when it is kept
};

// "half,all", "0-3,all", "0-3+8,0-15": steps are separated by commas, and the ranges of one step joined by +. half is
// the first half of `cpus`, rounded up; quarter likewise. Error (usage) names the step and the choices.
Result<std::vector<CpuList>> parse_steps(std::string_view text, const CpuList& cpus);

}  // namespace punctual
