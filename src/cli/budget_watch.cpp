// SPDX-License-Identifier: GPL-2.0-only
#include "cli/budget_watch.h"

#include <algorithm>

#include "base/cgroup.h"
#include "base/units.h"
#include "scope/budget_option.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr size_t kSaidMax = 1000;  // directories come and go; beyond this a fault may be said again
constexpr std::chrono::seconds kFreePause{1};

void say(const std::string& line)
{
	fmt::print(stderr, "punctual: {}\n", clean_text(line));
}

}  // namespace

void BudgetWatch::step(BudgetTable* table)
{
	const LatencyAttributes& attributes = scan_.step();
	auto rows = table->rows();
	if (!rows)
		return say_once("", rows.error().what);
	std::erase_if(names_, [&rows](const auto& entry) {
		return std::ranges::find(*rows, entry.first, &BudgetRow::cgroup_id) == rows->end();
	});
	for (const BudgetRow& row : *rows)
		if (!names_.contains(row.cgroup_id))
			if (auto directory = cgroup_by_id(row.cgroup_id); directory && *directory)
				names_[row.cgroup_id] = **directory;
	free_gone(table);
	for (const AttributeVerdict& verdict : judge_attributes(attributes, *rows))
		act(verdict, table);
}

void BudgetWatch::act(const AttributeVerdict& verdict, BudgetTable* table)
{
	switch (verdict.kind) {
	case AttributeVerdict::nothing:
		return say_once(verdict.directory, verdict.line);
	case AttributeVerdict::clear:
		return clear(verdict.cgroup_id, table);
	case AttributeVerdict::set:
		auto changed = table->set(verdict.budget);
		if (!changed)
			return say_once(verdict.directory, changed.error().what);
		if (*changed) {  // else it was given one in between; the next step says so
			say(verdict.line);
			said_[verdict.directory] = verdict.line;
			if (auto id = cgroup_id(verdict.directory))  // it may be removed before the next step
				names_[*id] = verdict.directory;
		}
		return;
	}
}

void BudgetWatch::clear(uint64_t cgroup_id, BudgetTable* table)
{
	if (auto directory = cgroup_by_id(cgroup_id); directory && !*directory)
		return;  // not the attribute was removed but the cgroup: free_gone says so
	auto cleared = table->clear(cgroup_id, BudgetSource::attribute);
	if (!cleared)
		return say_once("", cleared.error().what);
	if (*cleared)
		say(fmt::format("budget of {}: none, {} was removed", name_of(cgroup_id), kLatencyAttribute));
}

void BudgetWatch::say_once(const std::string& about, const std::string& line)
{
	if (said_.size() > kSaidMax)
		said_.clear();
	std::string& last = said_[about];
	if (last == line)
		return;
	last = line;
	say(line);
}

void BudgetWatch::free_gone(BudgetTable* table)
{
	const auto now = std::chrono::steady_clock::now();
	if (now < free_again_at_)
		return;
	free_again_at_ = now + kFreePause;
	auto gone = table->free_gone();
	if (!gone)
		return say_once("", gone.error().what);
	for (const BudgetRow& row : *gone)
		say(fmt::format("budget of {}: none, the cgroup was removed", name_of(row.cgroup_id)));
}

std::string BudgetWatch::name_of(uint64_t cgroup_id) const
{
	auto name = names_.find(cgroup_id);
	return name == names_.end() ? fmt::format("cgroup id {}", cgroup_id) : name->second;
}

Result<std::vector<Budget>> standing_budgets(const BudgetTable& table)
{
	std::vector<Budget> budgets;
	for (const BudgetRow& row : TRY(table.rows()))
		if (auto directory = TRY(cgroup_by_id(row.cgroup_id)))
			budgets.push_back({.cgroup = directory->native(),
					   .latency = row.latency,
					   .cap_percent = row.cap_percent,
					   .source = row.source});
	return budgets;
}

}  // namespace punctual
