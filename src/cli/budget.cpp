// SPDX-License-Identifier: GPL-2.0-only
// punctual budget: latency budgets of the loaded scheduler, looked at and changed while it runs.
#include <algorithm>
#include <memory>

#include <nlohmann/json.hpp>

#include "base/cgroup.h"
#include "base/units.h"
#include "cli/cgroup_name.h"
#include "cli/commands.h"
#include "object/budget_table.h"
#include "scope/budget_option.h"
#include "view/text.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

struct BudgetOptions {
	std::string cgroup;
	std::string latency;
	std::string cap;
	bool as_json = false;
};

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

void print_json(const std::vector<BudgetRow>& rows)
{
	Json json = {{"schema", "punctual.budget"}, {"version", 1}, {"lost", 0}, {"budgets", Json::array()}};
	for (const BudgetRow& row : rows)
		json["budgets"].push_back(row_json(row));
	fmt::print("{}\n", json.dump(2));
}

Result<ExitCode> list(const BudgetOptions& options)
{
	BudgetTable table = TRY(BudgetTable::of_loaded());
	std::vector<BudgetRow> rows = TRY(table.rows());
	TRY(table.free_gone());  // shown this once
	if (options.as_json) {
		print_json(rows);
		return ExitCode::ok;
	}
	fmt::print("{:<32} {:>10} {:>8}  {}\n", "cgroup", "budget", "cap", "from");
	for (const BudgetRow& row : rows) {
		std::optional<std::string> name = cgroup_name(row.cgroup_id);
		fmt::print("{:<32} {:>10} {:>8}  {}\n",
			   name ? clean_text(*name) : fmt::format("id {} (removed)", row.cgroup_id),
			   format_duration(row.latency), row.cap_percent ? fmt::format("{}%", row.cap_percent) : "-",
			   row.source == BudgetSource::attribute ? kLatencyAttribute : "command");
	}
	return ExitCode::ok;
}

// The row of this cgroup as it stands now, as a document of its own.
Status print_changed(const BudgetTable& table, uint64_t id, const BudgetOptions& options)
{
	if (!options.as_json)
		return {};
	std::vector<BudgetRow> rows = TRY(table.rows());
	std::erase_if(rows, [id](const BudgetRow& row) { return row.cgroup_id != id; });
	print_json(rows);
	return {};
}

Result<ExitCode> set(const BudgetOptions& options)
{
	// What is wrong with the words is said before what is wrong with the machine.
	Budget budget;
	budget.latency = TRY(parse_budget_duration(options.latency, options.cgroup));
	if (!options.cap.empty())
		budget.cap_percent = TRY(parse_cap_percent(options.cap, options.cgroup));
	BudgetTable table = TRY(BudgetTable::of_loaded());
	budget.cgroup = TRY(find_cgroup(options.cgroup));
	TRY(table.set(budget));
	TRY(print_changed(table, TRY(cgroup_id(budget.cgroup)), options));
	return ExitCode::ok;
}

Result<ExitCode> clear(const BudgetOptions& options)
{
	BudgetTable table = TRY(BudgetTable::of_loaded());
	std::string cgroup = TRY(find_cgroup(options.cgroup));
	uint64_t id = TRY(cgroup_id(cgroup));
	if (!TRY(table.clear(id, BudgetSource::given))) {
		std::vector<BudgetRow> rows = TRY(table.rows());
		if (std::ranges::find(rows, id, &BudgetRow::cgroup_id) != rows.end())
			return fail(ExitCode::failed, "the budget of {} comes from its attribute: setfattr -x {} {}",
				    options.cgroup, kLatencyAttribute, cgroup);
		return fail(ExitCode::failed, "cgroup {} has no budget (punctual budget ls shows which have)",
			    options.cgroup);
	}
	TRY(print_changed(table, id, options));
	return ExitCode::ok;
}

}  // namespace

Action setup_budget(CLI::App& app)
{
	auto options = std::make_shared<BudgetOptions>();
	auto chosen = std::make_shared<Result<ExitCode> (*)(const BudgetOptions&)>(nullptr);
	const auto add = [&](const char* name, const char* summary, Result<ExitCode> (*act)(const BudgetOptions&)) {
		CLI::App* sub = app.add_subcommand(name, summary);
		sub->callback([chosen, act] { *chosen = act; });
		return sub;
	};
	app.require_subcommand(1);
	CLI::App* ls = add("ls", "show which cgroups have a budget, and where it comes from", list);
	CLI::App* set_app = add("set", "give a cgroup a budget, or change it", set);
	CLI::App* clear_app = add("clear", "take the budget of a cgroup away", clear);
	for (CLI::App* sub : {set_app, clear_app})
		sub->add_option("CGROUP", options->cgroup, "path below the cgroup mount, or systemd unit")->required();
	set_app->add_option("DURATION", options->latency, "1us to 1s, e.g. 60us")->required();
	set_app->add_option("--cap", options->cap, "CPU that it may use with that budget, in % of one CPU");
	for (CLI::App* sub : {ls, set_app, clear_app})
		sub->add_flag("-j,--json", options->as_json, "one JSON document");
	app.footer(
	    "Examples:\n"
	    "  sudo punctual budget set vnf.slice 60us\n"
	    "  sudo punctual budget ls\n"
	    "They last as long as the scheduler that is loaded, also over its reloads by `punctual run`.");
	return [options, chosen] { return (*chosen)(*options); };
}

}  // namespace punctual
