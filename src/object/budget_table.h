// SPDX-License-Identifier: GPL-2.0-only
// The latency budgets in the kernel: which cgroup has which, and the row of its statistics. Hides the
// BPF maps and the generation that makes the scheduler look again; a change holds from the next wakeup
// on. Several processes may change it: each change is made under a lock that they share.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/budget.h"
#include "base/fd.h"
#include "base/result.h"

struct bpf_object;
struct class_verdict;

namespace punctual {

class BudgetTable {
 public:
	// Of the scheduler that is loaded now, whoever loaded it. Errors: lacking (no sched_ext, no
	// privilege), failed (nothing is loaded, or a scheduler without budgets).
	static Result<BudgetTable> of_loaded();

	// Of an object that this process has loaded; nullopt when its scheduler has no budgets.
	static std::optional<BudgetTable> of_object(bpf_object* object);

	Result<std::vector<BudgetRow>> rows() const;

	// Gives the cgroup a budget, or changes it; statistics begin at zero, or go on. A budget from an
	// attribute does not replace a given one: false. Error naming the limit when the table is full.
	Result<bool> set(const Budget& budget);

	// Takes it away. False when the cgroup has none of that source.
	Result<bool> clear(uint64_t cgroup_id, BudgetSource source);

	// What the scheduler says of the classes: can their budgets be kept? Empty when it does not judge.
	std::vector<class_verdict> verdicts() const;

	// Frees the rows of cgroups that were removed, and returns them.
	Result<std::vector<BudgetRow>> free_gone();

 private:
	Status insert(uint64_t cgroup_id, const Budget& budget, uint32_t class_index);
	Status remove(const BudgetRow& row);
	Status label(uint32_t class_index, uint64_t cgroup_id, uint64_t budget_ns, bool keep_counters);
	Status raise_generation();
	Result<std::vector<BudgetRow>> drop_gone(std::vector<BudgetRow>* rows);

	UniqueFd budgets_;
	UniqueFd class_stats_;
	UniqueFd class_verdicts_;
	UniqueFd control_;
	uint32_t generation_offset_ = 0;  // of budget_generation in the value of control_
};

// The lowest row of statistics that no budget uses; nullopt when all CLASSES_MAX are taken.
std::optional<uint32_t> lowest_free_row(std::span<const BudgetRow> rows);

}  // namespace punctual
