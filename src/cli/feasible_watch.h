// SPDX-License-Identifier: GPL-2.0-only
// What `run` says of budgets that cannot be kept: a line when a class becomes infeasible, when the reason changes, and
// when its budget is kept again; at the end a sum. At most one line in five seconds about a class.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "abi/sched.h"

namespace punctual {

class FeasibleWatch {
 public:
	using Time = std::chrono::steady_clock::time_point;
	using NameOf = std::function<std::string(uint64_t cgroup_id)>;

	explicit FeasibleWatch(NameOf name_of) : name_of_(std::move(name_of)) {}

	// The lines to be said now; verdicts as they stand.
	std::vector<std::string> step(std::span<const class_verdict> verdicts, Time now);

	// A line for each class that was ever infeasible.
	std::vector<std::string> summary() const;

 private:
	struct Class {
		std::string name;  // a removed cgroup has none any more
		class_verdict last = {};
		class_verdict before = {};  // sums of the schedulers that this one took the place of
		Time infeasible_at = {};
		Time said_at = {};
		uint32_t said_reason = FEASIBLE;
		bool said_any = false;
	};

	std::string say(Class* about, uint32_t reason, Time now) const;

	NameOf name_of_;
	std::map<uint64_t, Class> classes_;
};

}  // namespace punctual
