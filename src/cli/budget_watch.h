// SPDX-License-Identifier: GPL-2.0-only
// Keeps the budgets of a running scheduler as the machine's cgroups say: follows the extended attribute
// user.latency_ns and frees what removed cgroups held. Prints one line a change. Cheap enough for ten steps a second.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "object/budget_table.h"
#include "scope/latency_attribute.h"

namespace punctual {

class BudgetWatch {
 public:
	// Looks for all cgroups once; `mount` is that of cgroup2.
	explicit BudgetWatch(const std::filesystem::path& mount) : scan_(mount) {}

	void step(BudgetTable* table);

 private:
	void act(const AttributeVerdict& verdict, BudgetTable* table);
	void clear(uint64_t cgroup_id, BudgetTable* table);
	void say_once(const std::string& about, const std::string& line);
	void free_gone(BudgetTable* table);
	std::string name_of(uint64_t cgroup_id) const;

	AttributeScan scan_;
	std::map<std::string, std::string> said_;  // the last line about a directory: a fault is said once
	std::map<uint64_t, std::string> names_;    // of the cgroups with a budget; a removed one has no name any more
	std::chrono::steady_clock::time_point free_again_at_;
};

// The budgets as they stand, for a scheduler that takes this one's place: what was given or followed
// meanwhile stays. Removed cgroups are left out.
Result<std::vector<Budget>> standing_budgets(const BudgetTable& table);

}  // namespace punctual
