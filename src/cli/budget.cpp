// SPDX-License-Identifier: GPL-2.0-only
// punctual budget: latency budgets of the loaded scheduler, looked at and changed while it runs. Root does it itself;
// for members of the group `punctual` a guard does.
#include <memory>

#include <nlohmann/json.hpp>

#include "base/units.h"
#include "cli/budget_act.h"
#include "cli/commands.h"
#include "cli/control_client.h"
#include "scope/budget_option.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

struct BudgetOptions {
	BudgetWords words;
	bool as_json = false;
};

void print_table(const std::string& document)
{
	fmt::print("{:<32} {:>10} {:>8}  {}\n", "cgroup", "budget", "cap", "from");
	const Json json = Json::parse(document, nullptr, false);
	for (const Json& row : json.at("budgets")) {
		const bool is_gone = row.at("gone").get<bool>();
		const bool is_attribute = row.at("source") == "attribute";
		fmt::print(
		    "{:<32} {:>10} {:>8}  {}\n",
		    is_gone ? fmt::format("id {} (removed)", row.at("cgroup_id").get<uint64_t>())
			    : row.at("cgroup").get<std::string>(),
		    format_duration(Nanoseconds(row.at("budget_ns").get<int64_t>())),
		    row.at("cap_percent").is_null() ? "-" : fmt::format("{}%", row.at("cap_percent").get<uint32_t>()),
		    is_attribute ? kLatencyAttribute : "command");
	}
}

Result<ExitCode> list(const BudgetOptions& options)
{
	std::optional<std::string> document = TRY(through_guard({.kind = ControlKind::budget_list}));
	if (!document) {
		BudgetTable table = TRY(BudgetTable::of_loaded());
		document = TRY(list_budgets(&table));
	}
	if (options.as_json)
		fmt::print("{}\n", Json::parse(*document, nullptr, false).dump(2));
	else
		try {  // the JSON library reports by exception; it stops here
			print_table(*document);
		} catch (const Json::exception& error) {
			return fail(ExitCode::failed, "the guard is of another version than this program: {}",
				    error.what());
		}
	return ExitCode::ok;
}

Result<ExitCode> change(ControlKind kind, const BudgetOptions& options)
{
	// What is wrong with the words is said before what is wrong with the machine.
	if (kind == ControlKind::budget_set)
		TRY(parse_budget_words(options.words));
	std::optional<std::string> document =
	    TRY(through_guard({kind, options.words.cgroup, options.words.latency, options.words.cap}));
	if (!document) {
		BudgetTable table = TRY(BudgetTable::of_loaded());
		document = kind == ControlKind::budget_set ? TRY(set_budget(&table, options.words))
							   : TRY(clear_budget(&table, options.words.cgroup));
	}
	if (options.as_json)
		fmt::print("{}\n", Json::parse(*document, nullptr, false).dump(2));
	return ExitCode::ok;
}

Result<ExitCode> set(const BudgetOptions& options)
{
	return change(ControlKind::budget_set, options);
}

Result<ExitCode> clear(const BudgetOptions& options)
{
	return change(ControlKind::budget_clear, options);
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
		sub->add_option("CGROUP", options->words.cgroup, "path below the cgroup mount, or systemd unit")
		    ->required();
	set_app->add_option("DURATION", options->words.latency, "1us to 1s, e.g. 60us")->required();
	set_app->add_option("--cap", options->words.cap, "CPU that it may use with that budget, in % of one CPU");
	for (CLI::App* sub : {ls, set_app, clear_app})
		sub->add_flag("-j,--json", options->as_json, "one JSON document");
	app.footer(
	    "Examples:\n"
	    "  sudo punctual budget set vnf.slice 60us\n"
	    "  sudo punctual budget ls\n"
	    "Members of the group punctual need no sudo while a guard runs.\n"
	    "They last as long as the scheduler that is loaded, also over its reloads by `punctual run`.");
	return [options, chosen] { return (*chosen)(*options); };
}

}  // namespace punctual
