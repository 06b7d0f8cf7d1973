// SPDX-License-Identifier: GPL-2.0-only
// A load of scripts: what rt-app's JSON and a recorded trace become.
#pragma once

#include <string>
#include <vector>

#include "sim/scenario.h"

namespace punctual::sim {

constexpr u32 kScriptRowsMax = 512;  // rows of a result; names beyond that share the last one

constexpr int kNiceMin = -20, kNiceMax = 19;

// Of TaskSpec: 100 is nice 0. REQUIRES kNiceMin <= nice <= kNiceMax.
u32 weight_of_nice(int nice);

struct ScriptLoad {
	std::vector<TaskSpec> tasks;
	std::vector<GroupSpec> groups;
	std::vector<std::string> rows;          // names; TaskSpec::row says whose
	std::vector<bool> is_urgent;            // by row: the file asks for it to come before others
	std::vector<std::string> not_modelled;  // one each, with the place that asked for it
	u64 duration_ns = 0;                    // 0: until all scripts have ended
	u64 demand_ns = 0;                      // of a trace: running time in it, all in all

	u32 row_of(const std::string& name);
};

}  // namespace punctual::sim
