// SPDX-License-Identifier: GPL-2.0-only
#include "cli/run_options.h"

#include <algorithm>
#include <cstdlib>

#include "base/cgroup.h"
#include "base/cpu_list.h"
#include "base/units.h"
#include "cli/run_only.h"
#include "scope/budget_option.h"

namespace punctual {

namespace {

constexpr uint32_t kFloorMin = 1, kFloorMax = 50;  // per cent

Result<std::string> parse_floor(std::string_view text, std::string_view what)
{
	return fmt::format("floor_percent={}", TRY(parse_percent(text, what, kFloorMin, kFloorMax)));
}

Result<uint32_t> parse_timeout_ms(const std::string& text, std::string_view what)
{
	const auto timeout = TRY(parse_duration(text));
	if (timeout < std::chrono::milliseconds(100) || timeout > std::chrono::seconds(30))
		return fail(ExitCode::usage, "{} {} is outside 100ms to 30s", what, text);
	return std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
}

std::string first_of(const std::string& flag, const std::string& variable, const std::string& file)
{
	if (!flag.empty())
		return flag;
	return variable.empty() ? file : variable;
}

// The budget of this cgroup, in whichever way its name is written.
Budget* find_budget(std::vector<Budget>& budgets, const std::string& cgroup)
{
	auto budget = std::ranges::find(budgets, cgroup, &Budget::cgroup);
	return budget == budgets.end() ? nullptr : &*budget;
}

// Flags and file in one list; a second flag for the same cgroup stays in it, for the loader to refuse.
Result<std::vector<Budget>> budgets_of(const RunOptions& options)
{
	std::vector<Budget> budgets;
	budgets.reserve(options.slices.size() + options.file_budgets.size());
	for (const std::string& slice : options.slices)
		if (options.only)
			TRY(parse_only_slice(slice, &budgets));
		else
			budgets.push_back(TRY(parse_budget(slice)));
	std::vector<Budget> of_file;
	for (const ConfigBudget& entry : options.file_budgets) {
		Budget budget = TRY(parse_budget(entry.cgroup + "=" + entry.latency));
		if (!entry.cap.empty())
			budget.cap_percent = TRY(parse_cap_percent(entry.cap, entry.cgroup));
		if (Budget* flag = find_budget(budgets, budget.cgroup))
			flag->cap_percent = budget.cap_percent;  // its latency is the flag's
		else
			of_file.push_back(budget);
	}
	budgets.insert(budgets.end(), of_file.begin(), of_file.end());
	for (const std::string& cap : options.caps) {
		const size_t equals = cap.rfind('=');
		if (equals == std::string::npos || equals == 0)
			return fail(ExitCode::usage, "--cap '{}' is not CGROUP=PERCENT, e.g. vnf.slice=30%", cap);
		const std::string name = cap.substr(0, equals);
		const uint32_t percent = TRY(parse_cap_percent(cap.substr(equals + 1), name));
		Budget* budget = find_budget(budgets, TRY(find_cgroup(name)));
		if (!budget)
			return fail(ExitCode::usage, "--cap {}: {} has no budget; give one with --slice {}=60us", cap,
				    name, name);
		budget->cap_percent = percent;
	}
	return budgets;
}

}  // namespace

void declare_scheduler_options(CLI::App& app, RunOptions* options)
{
	app.add_option("SCHED", options->sched, "scx_latency, scx_simple, or a BPF object file")->required();
	app.add_option("--cpus", options->cpus, "CPUs on which the policy applies, e.g. 0-3,8 (default: all)");
	app.add_option("--slice", options->slices, "latency budget CGROUP=DURATION, e.g. vnf.slice=60us (repeatable)")
	    ->allow_extra_args(false);
	app.add_flag(
	    "--only", options->only,
	    "only the tasks of the named slices leave the kernel's own scheduler, and get --cpus for themselves");
	app.add_option("--cap", options->caps, "CGROUP=30%: CPU it may use with its budget, of one CPU (repeatable)")
	    ->allow_extra_args(false);
	app.add_option("--floor", options->floor, "share of each CPU that tasks without budget keep (1% to 50%)");
	app.add_option("--set", options->set, "NAME=VALUE: a tunable of the scheduler (repeatable)")
	    ->allow_extra_args(false);
	app.add_option("--timeout", options->timeout, "ejected when a task waits longer than this (100ms to 30s)");
	app.add_option("--record-decisions", options->record_decisions,
		       "file for every decision of scx_latency; `punctual sim --replay` checks them");
	app.add_option("--config", options->config, "TOML file with any of these; flags and PUNCTUAL_* go before it");
}

void declare_run_options(CLI::App& app, RunOptions* options)
{
	declare_scheduler_options(app, options);
	app.add_option("CMD", options->command,
		       "after --: the scheduler lives for the run of CMD, whose exit status is returned");
}

RunOptions merge_run_options(RunOptions flags, const Environment& environment, const ConfigFile& file)
{
	RunOptions merged = std::move(flags);
	merged.sched = first_of(merged.sched, environment("PUNCTUAL_SCHEDULER"), file.scheduler.text);
	merged.cpus = first_of(merged.cpus, environment("PUNCTUAL_CPUS"), file.cpus.text);
	merged.floor = first_of(merged.floor, environment("PUNCTUAL_FLOOR"), file.floor.text);
	merged.timeout = first_of(merged.timeout, environment("PUNCTUAL_TIMEOUT"), file.timeout.text);
	merged.only |= file.only.text == "true";
	std::vector<std::string> set;
	for (const ConfigValue& assignment : file.set)
		set.push_back(assignment.text);
	merged.set.insert(merged.set.begin(), set.begin(), set.end());
	if (merged.only)
		for (const ConfigValue& slice : file.slices)
			merged.slices.push_back(slice.text);
	merged.file_budgets = file.budgets;
	return merged;
}

Status check_run_values(const ConfigFile& file)
{
	if (!file.floor.text.empty())
		TRY(at_place(file.floor.place, parse_floor(file.floor.text, "the share")));
	if (!file.timeout.text.empty())
		TRY(at_place(file.timeout.place, parse_timeout_ms(file.timeout.text, "the time")));
	if (!file.cpus.text.empty())
		TRY(at_place(file.cpus.place, cpus_of_this_machine(file.cpus.text)));
	for (const ConfigBudget& budget : file.budgets) {
		TRY(at_place(budget.place, parse_budget_duration(budget.latency, budget.cgroup)));
		if (!budget.cap.empty())
			TRY(at_place(budget.place, parse_cap_percent(budget.cap, budget.cgroup)));
	}
	return {};
}

std::string environment_value(const char* name)
{
	const char* value = std::getenv(name);
	return value ? value : "";
}

Result<RunOptions> complete_run_options(const RunOptions& flags)
{
	ConfigFile file;
	if (const std::string path = first_of(flags.config, environment_value("PUNCTUAL_CONFIG"), ""); !path.empty())
		file = TRY(read_config(path));
	TRY(check_run_values(file));
	return merge_run_options(flags, environment_value, file);
}

Result<SchedulerOptions> scheduler_options(const RunOptions& options)
{
	SchedulerOptions scheduler;
	if (options.only && (options.cpus.empty() || (options.slices.empty() && options.file_budgets.empty())))
		return fail(ExitCode::usage,
			    "--only needs --cpus LIST, which nothing else will use, and --slice CGROUP[=DURATION]");
	scheduler.only_named = options.only;
	if (!options.cpus.empty())
		scheduler.cpus = TRY(cpus_of_this_machine(options.cpus));
	scheduler.budgets = TRY(budgets_of(options));
	scheduler.set = options.set;
	scheduler.record_decisions = !options.record_decisions.empty();
	if (!options.floor.empty())
		scheduler.set.push_back(TRY(parse_floor(options.floor, "floor")));
	if (!options.timeout.empty())
		scheduler.timeout_ms = TRY(parse_timeout_ms(options.timeout, "--timeout"));
	return scheduler;
}

namespace {

Result<std::vector<std::filesystem::path>> only_slices(const RunOptions& options)
{
	std::vector<std::filesystem::path> slices;
	if (!options.only)
		return slices;
	std::vector<Budget> unused;
	for (const std::string& slice : options.slices)
		slices.push_back(TRY(parse_only_slice(slice, &unused)));
	for (const ConfigBudget& entry : options.file_budgets)
		if (auto slice = TRY(find_cgroup(entry.cgroup)); std::ranges::find(slices, slice) == slices.end())
			slices.push_back(slice);
	return slices;
}

}  // namespace

Result<RunSettings> run_settings(const RunOptions& options)
{
	return RunSettings{options.sched, TRY(scheduler_options(options)), TRY(only_slices(options)),
			   options.record_decisions};
}

}  // namespace punctual
