// SPDX-License-Identifier: GPL-2.0-only
// What programs cost by the kernel's BPF statistics. Part of runq/, shown to no other folder.
#pragma once

#include <chrono>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "runq/collector.h"

namespace punctual {

class CostMeter {
 public:
	// Turns statistics on until the meter ends, and calibrates with a program that does nothing and is not
	// attached.
	static Result<CostMeter> start(std::vector<int> programs, int empty_program);
	ProbeCost read() const;

 private:
	UniqueFd statistics_;
	std::vector<int> programs_;
	ProbeCost before_;
	u64 calibration_ns_ = 0;
	std::chrono::steady_clock::time_point since_ = {};
};

}  // namespace punctual
