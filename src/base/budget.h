// SPDX-License-Identifier: GPL-2.0-only
// A latency budget for a cgroup: what scope/ reads from the operator and object/ hands to the kernel.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace punctual {

struct Budget {
	std::string cgroup;                // directory below the cgroup2 mount
	std::chrono::nanoseconds latency;  // longest wait from runnable to running
	uint32_t cap_percent = 0;          // CPU it may use with that budget, of one CPU; 0: no cap
};

}  // namespace punctual
