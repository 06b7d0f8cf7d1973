// SPDX-License-Identifier: GPL-2.0-only
#include "cli/budget_act.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/cgroup.h"
#include "cli/cgroup_name.h"
#include "scope/budget_option.h"
#include "view/text.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

const char* name_of(BudgetSource source)
{
	return source == BudgetSource::attribute ? "attribute" : "command";
}

Json row_json(const BudgetRow& row)
{
	std::optional<std::string> name = cgroup_name(row.cgroup_id);
	Json json = {{"cgroup", clean_text(name.value_or(""))},
		     {"cgroup_id", row.cgroup_id},
		     {"gone", !name.has_value()},
		     {"budget_ns", row.latency.count()},
		     {"cap_percent", nullptr},
		     {"source", name_of(row.source)},
		     {"class", row.class_index}};
	if (row.cap_percent)
		json["cap_percent"] = row.cap_percent;
	return json;
}

std::string document(const std::vector<BudgetRow>& rows)
{
	Json json = {{"schema", "punctual.budget"}, {"version", 1}, {"lost", 0}, {"budgets", Json::array()}};
	for (const BudgetRow& row : rows)
		json["budgets"].push_back(row_json(row));
	return json.dump(2);
}

// The row of this cgroup as it stands now, as a document of its own.
Result<std::string> document_of(const BudgetTable& table, uint64_t id)
{
	std::vector<BudgetRow> rows = TRY(table.rows());
	std::erase_if(rows, [id](const BudgetRow& row) { return row.cgroup_id != id; });
	return document(rows);
}

}  // namespace

Result<Budget> parse_budget_words(const BudgetWords& words)
{
	Budget budget;
	budget.latency = TRY(parse_budget_duration(words.latency, words.cgroup));
	if (!words.cap.empty())
		budget.cap_percent = TRY(parse_cap_percent(words.cap, words.cgroup));
	return budget;
}

Result<std::string> list_budgets(BudgetTable* table)
{
	const std::vector<BudgetRow> rows = TRY(table->rows());
	TRY(table->free_gone());
	return document(rows);
}

Result<std::string> set_budget(BudgetTable* table, const BudgetWords& words)
{
	Budget budget = TRY(parse_budget_words(words));
	budget.cgroup = TRY(find_cgroup(words.cgroup));
	TRY(table->set(budget));
	return document_of(*table, TRY(cgroup_id(budget.cgroup)));
}

Result<std::string> clear_budget(BudgetTable* table, const std::string& name)
{
	const std::string cgroup = TRY(find_cgroup(name));
	const uint64_t id = TRY(cgroup_id(cgroup));
	if (TRY(table->clear(id, BudgetSource::given)))
		return document_of(*table, id);
	const std::vector<BudgetRow> rows = TRY(table->rows());
	if (std::ranges::find(rows, id, &BudgetRow::cgroup_id) != rows.end())
		return fail(ExitCode::failed, "the budget of {} comes from its attribute: setfattr -x {} {}", name,
			    kLatencyAttribute, cgroup);
	return fail(ExitCode::failed, "cgroup {} has no budget (punctual budget ls shows which have)", name);
}

}  // namespace punctual
