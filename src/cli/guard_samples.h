// SPDX-License-Identifier: GPL-2.0-only
// What the rules of the guard are judged by: the counts of the loaded scheduler, as `punctual status` reads them, and
// the CPU time of its cgroups. One second after the other.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "abi/sched.h"
#include "cli/cgroup_finder.h"
#include "guard/slo_rule.h"

namespace punctual {

class GuardSamples {
 public:
	explicit GuardSamples(const std::vector<SloRule>& rules);

	// The first one after a load only begins: nullopt. `nr_cpus`: where the scheduler serves budgets.
	std::optional<SloSample> take(size_t nr_cpus);
	void restart() { has_before_ = false; }

 private:
	void add_classes(const std::vector<class_stats>& rows, SloSample* sample);

	std::set<std::string> cgroups_;  // of the rules, as written there
	CgroupFinder finder_;
	bool has_before_ = false;
	int64_t before_ns_ = 0;
	std::vector<class_stats> classes_before_;
	std::optional<uint64_t> nr_starved_before_;
	std::optional<uint64_t> budgeted_us_before_;
};

}  // namespace punctual
