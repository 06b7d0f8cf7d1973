// SPDX-License-Identifier: GPL-2.0-only
// The budgets of a guard over loads, reloads and cgroups that come and go: those of the configuration reach their
// cgroups when these appear, also anew under the same name, once each; what a person sets or clears meanwhile stands.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "cli/cgroup_finder.h"
#include "guard/guard_config.h"
#include "object/budget_table.h"

namespace punctual {

class GuardBudgets {
 public:
	GuardBudgets(std::vector<WantedBudget> wanted, std::vector<Budget> standing)
	    : wanted_(std::move(wanted)), standing_(std::move(standing))
	{}

	// For the next load: as they stood when the last one ended.
	const std::vector<Budget>& standing() const { return standing_; }
	void loaded();
	void unloaded(std::vector<Budget> standing) { standing_ = std::move(standing); }

	// Looks for cgroups once a second; call it more often.
	void step(BudgetTable* table);

	// `table`: nullptr while nothing with budgets is loaded. Goes on after an error, the first of which is
	// returned.
	Status apply(const ConfigChange& change, std::vector<WantedBudget> wanted, BudgetTable* table);

 private:
	Status give(const WantedBudget& budget, BudgetTable* table);
	Status take(const std::string& name, BudgetTable* table);

	std::vector<WantedBudget> wanted_;
	std::vector<Budget> standing_;
	std::map<std::string, uint64_t> given_;  // name -> id of the cgroup that has got it
	CgroupFinder finder_;
	std::chrono::steady_clock::time_point look_again_at_;
};

}  // namespace punctual
