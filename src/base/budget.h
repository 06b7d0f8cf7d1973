// SPDX-License-Identifier: GPL-2.0-only
// A latency budget for a cgroup: what scope/ reads from the operator and object/ hands to the kernel.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace punctual {

// Who gave a budget. What an operator says wins over the extended attribute of the same cgroup.
enum class BudgetSource : uint8_t { given, attribute };

struct Budget {
	std::string cgroup;                // directory below the cgroup2 mount
	std::chrono::nanoseconds latency;  // longest wait from runnable to running
	uint32_t cap_percent = 0;          // CPU it may use with that budget, of one CPU; 0: no cap
	BudgetSource source = BudgetSource::given;
};

// The same as it stands in the kernel: by the id of the cgroup, which may be gone.
struct BudgetRow {
	uint64_t cgroup_id = 0;
	std::chrono::nanoseconds latency{};
	uint32_t cap_percent = 0;
	BudgetSource source = BudgetSource::given;
	uint32_t class_index = 0;  // of its statistics
};

}  // namespace punctual
