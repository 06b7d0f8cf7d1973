// SPDX-License-Identifier: GPL-2.0-only
#include "cli/guard_budgets.h"

#include <algorithm>

#include "base/cgroup.h"
#include "base/units.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr std::chrono::seconds kLookPause{1};

}  // namespace

// What was there at the load has its budget, or a person took it away.
void GuardBudgets::loaded()
{
	for (const WantedBudget& budget : wanted_)
		if (const auto directory = finder_.find(budget.cgroup))
			if (const auto id = cgroup_id(*directory);
			    id && std::ranges::find(standing_, directory->native(), &Budget::cgroup) != standing_.end())
				given_[budget.cgroup] = *id;
}

void GuardBudgets::step(BudgetTable* table)
{
	const auto now = std::chrono::steady_clock::now();
	if (!table || now < look_again_at_)
		return;
	look_again_at_ = now + kLookPause;
	for (const WantedBudget& budget : wanted_) {
		const auto directory = finder_.find(budget.cgroup);
		const auto id = directory ? cgroup_id(*directory) : Result<uint64_t>(0);
		if (!id || *id == 0 || given_[budget.cgroup] == *id)
			continue;
		const Status given = give(budget, table);
		fmt::print(stderr, "guard: budget of {}: {}\n", clean_text(budget.cgroup),
			   given ? format_duration(budget.latency) : clean_text(given.error().what));
	}
}

// Noted also when it fails: said once.
Status GuardBudgets::give(const WantedBudget& budget, BudgetTable* table)
{
	const auto directory = finder_.find(budget.cgroup);
	if (!directory)
		return {};  // when it is there
	const Budget value{.cgroup = directory->native(), .latency = budget.latency, .cap_percent = budget.cap_percent};
	if (!table) {
		std::erase_if(standing_, [&](const Budget& old) { return old.cgroup == value.cgroup; });
		standing_.push_back(value);
		return {};
	}
	given_[budget.cgroup] = TRY(cgroup_id(*directory));
	TRY(table->set(value));
	return {};
}

Status GuardBudgets::take(const std::string& name, BudgetTable* table)
{
	given_.erase(name);
	const auto directory = finder_.find(name);
	if (!directory)
		return {};
	std::erase_if(standing_, [&](const Budget& old) { return old.cgroup == directory->native(); });
	if (table)
		TRY(table->clear(TRY(cgroup_id(*directory)), BudgetSource::given));
	return {};
}

Status GuardBudgets::apply(const ConfigChange& change, std::vector<WantedBudget> wanted, BudgetTable* table)
{
	wanted_ = std::move(wanted);
	Status first;
	const auto note = [&first](const Status& done) {
		if (first && !done)
			first = done;
	};
	for (const std::string& name : change.take)  // first: rows are few
		note(take(name, table));
	for (const WantedBudget& budget : change.give)
		note(give(budget, table));
	return first;
}

}  // namespace punctual
