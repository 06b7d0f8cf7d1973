// SPDX-License-Identifier: GPL-2.0-only
#include "cli/guard_plan.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/cgroup.h"
#include "guard/hook_words.h"
#include "object/check.h"
#include "scope/budget_option.h"

namespace punctual {
namespace {

constexpr const char* kUsualConfig = "/etc/punctual";

std::string first_of(const std::string& flag, const char* variable, const ConfigValue& file)
{
	if (!flag.empty())
		return flag;
	const std::string value = environment_value(variable);
	return value.empty() ? file.text : value;
}

// Whoever names no scheduler means the one of the service.
std::string config_path_of(const RunOptions& flags)
{
	std::string path = flags.config.empty() ? environment_value("PUNCTUAL_CONFIG") : flags.config;
	std::error_code error;
	if (path.empty() && flags.sched.empty() && environment_value("PUNCTUAL_SCHEDULER").empty() &&
	    std::filesystem::exists(kUsualConfig, error))
		path = kUsualConfig;
	return path;
}

Status check_guard_values(const ConfigFile& file)
{
	for (const ConfigValue& rule : file.slo)
		TRY(at_place(rule.place, parse_slo_rule(rule.text)));
	if (!file.on_fallback.text.empty())
		TRY(at_place(file.on_fallback.place, split_hook(file.on_fallback.text)));
	if (!file.webhook.text.empty())
		TRY(at_place(file.webhook.place, check_webhook(file.webhook.text)));
	return {};
}

// Each tunable of the file by itself: an error has its place.
Status check_tunables(const std::string& sched, const ConfigFile& file)
{
	for (const ConfigValue& assignment : file.set)
		TRY(at_place(assignment.place, check_scheduler(sched, {assignment.text})));
	return {};
}

// "NAME=VALUE" at the last '=', as run takes it.
std::pair<std::string, std::string> halves(const std::string& text)
{
	const size_t equals = text.rfind('=');
	return {text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1)};
}

// By name: what the flags say, then what the file says of others.
Result<std::vector<WantedBudget>> wanted_budgets(const RunOptions& options)
{
	std::vector<WantedBudget> budgets;
	const auto find = [&budgets](const std::string& cgroup) {
		return std::ranges::find(budgets, cgroup, &WantedBudget::cgroup);
	};
	for (const std::string& slice : options.slices) {
		const auto [name, latency] = halves(slice);
		if (!latency.empty())
			budgets.push_back({name, TRY(parse_budget_duration(latency, name))});
	}
	for (const ConfigBudget& entry : options.file_budgets) {
		const uint32_t cap = entry.cap.empty() ? 0 : TRY(parse_cap_percent(entry.cap, entry.cgroup));
		if (const auto flag = find(entry.cgroup); flag != budgets.end())
			flag->cap_percent = cap;
		else
			budgets.push_back({entry.cgroup, TRY(parse_budget_duration(entry.latency, entry.cgroup)), cap});
	}
	for (const std::string& text : options.caps) {
		const auto [name, percent] = halves(text);
		if (const auto budget = find(name); budget != budgets.end())
			budget->cap_percent = TRY(parse_cap_percent(percent, name));
	}
	return budgets;
}

// The options without budgets of the file for cgroups that are not there, and a note for each.
Result<RunOptions> without_absent(RunOptions options, std::vector<std::string>* notes)
{
	std::vector<ConfigBudget> present;
	for (const ConfigBudget& entry : options.file_budgets) {
		const auto found = find_cgroup(entry.cgroup);
		if (found)
			present.push_back(entry);
		else if (options.only)
			return fail(ExitCode::usage, "{}: {} (with `only` it has to be there before)", entry.place,
				    found.error().what);
		else
			notes->push_back(fmt::format("{}: {}; its budget follows when it is there", entry.place,
						     found.error().what));
	}
	options.file_budgets = std::move(present);
	return options;
}

GuardConfig config_of(const RunOptions& run, const RunSettings& settings)
{
	GuardConfig config;
	config.scheduler = run.sched;
	config.cpus = run.cpus;
	config.only = run.only;
	for (const std::string& slice : run.slices)
		if (run.only && !slice.contains('='))
			config.slices.push_back(slice);
	config.set = settings.scheduler.set;
	config.timeout = run.timeout;
	return config;
}

// Rules of flags are a person's, who is there to be told of a cgroup that is not.
Result<std::vector<SloRule>> rules_of(const GuardOptions& options, const ConfigFile& file, GuardConfig* config,
				      std::vector<std::string>* notes)
{
	std::vector<SloRule> rules;
	config->slo = options.slo;
	if (config->slo.empty())
		for (const ConfigValue& rule : file.slo)
			config->slo.push_back(rule.text);
	for (const std::string& text : config->slo) {
		rules.push_back(TRY(parse_slo_rule(text)));
		const std::string& name = rules.back().cgroup;
		const auto found = name.empty() ? std::filesystem::path() : find_cgroup(name);
		if (!found && !options.slo.empty())
			return std::unexpected(found.error());
		if (!found)
			notes->push_back(fmt::format("rule \"{}\": {}; it is looked at when that is there", text,
						     found.error().what));
	}
	return rules;
}

}  // namespace

Result<GuardPlan> make_guard_plan(const GuardOptions& options)
{
	GuardPlan plan;
	plan.config_path = config_path_of(options.run);
	ConfigFile file;
	if (!plan.config_path.empty())
		file = TRY(read_config(plan.config_path));
	TRY(check_run_values(file));
	TRY(check_guard_values(file));
	const RunOptions run = merge_run_options(options.run, environment_value, file);
	if (run.sched.empty())
		return fail(ExitCode::usage,
			    "guard needs a scheduler (scx_latency, scx_simple or a file) or a configuration that names "
			    "one ({}/punctual.toml), or --reset",
			    kUsualConfig);
	TRY(check_tunables(run.sched, file));
	plan.settings = TRY(run_settings(TRY(without_absent(run, &plan.notes))));
	plan.has_budgets = TRY(check_scheduler(run.sched, plan.settings.scheduler.set)).has_budgets;
	plan.config = config_of(run, plan.settings);
	plan.config.budgets = TRY(wanted_budgets(run));
	if (!plan.config.budgets.empty() && !plan.has_budgets)
		return fail(ExitCode::usage, "{} has no latency budgets; run scx_latency, or leave the budgets out",
			    run.sched);
	plan.rules = TRY(rules_of(options, file, &plan.config, &plan.notes));
	plan.config.on_fallback = first_of(options.on_fallback, "PUNCTUAL_ON_FALLBACK", file.on_fallback);
	if (!plan.config.on_fallback.empty())
		plan.hook = TRY(split_hook(plan.config.on_fallback));
	plan.config.webhook = first_of(options.webhook, "PUNCTUAL_WEBHOOK", file.webhook);
	if (!plan.config.webhook.empty())
		TRY(check_webhook(plan.config.webhook));
	plan.config.metrics = first_of(options.metrics, "PUNCTUAL_METRICS", file.metrics);
	return plan;
}

}  // namespace punctual
