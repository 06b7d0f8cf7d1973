// SPDX-License-Identifier: GPL-2.0-only
#include "guard/guard_config.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/units.h"

namespace punctual {
namespace {

const WantedBudget* find(const std::vector<WantedBudget>& budgets, std::string_view cgroup)
{
	const auto budget = std::ranges::find(budgets, cgroup, &WantedBudget::cgroup);
	return budget == budgets.end() ? nullptr : &*budget;
}

std::string budget_words(const WantedBudget& budget)
{
	return fmt::format("{}{}", format_duration(budget.latency),
			   budget.cap_percent ? fmt::format(" with cap {}%", budget.cap_percent) : "");
}

std::string or_word(const std::string& text, std::string_view otherwise)
{
	return text.empty() ? std::string(otherwise) : text;
}

// The cgroups that leave the kernel's own scheduler: those named, and those with a budget.
std::vector<std::string> scope_of(const GuardConfig& config)
{
	std::vector<std::string> scope;
	if (!config.only)
		return scope;
	scope = config.slices;
	for (const WantedBudget& budget : config.budgets)
		scope.push_back(budget.cgroup);
	std::ranges::sort(scope);
	return scope;
}

// What the loader is told once and for all, by the words of each that changed.
std::vector<std::string> load_words(const GuardConfig& before, const GuardConfig& after)
{
	std::vector<std::string> words;
	if (before.scheduler != after.scheduler)
		words.push_back(fmt::format("scheduler {}", after.scheduler));
	if (before.cpus != after.cpus)
		words.push_back(fmt::format("cpus {}", or_word(after.cpus, "all")));
	if (before.only != after.only)
		words.push_back(after.only ? "only the named slices" : "all tasks");
	if (before.set != after.set)
		words.push_back(
		    fmt::format("set {}", or_word(fmt::format("{}", fmt::join(after.set, " ")), "nothing")));
	if (before.timeout != after.timeout)
		words.push_back(fmt::format("timeout {}", or_word(after.timeout, "the scheduler's own")));
	if (before.only == after.only && scope_of(before) != scope_of(after))
		words.push_back(fmt::format("slices {}", fmt::join(scope_of(after), " ")));
	return words;
}

std::vector<std::string> other_words(const GuardConfig& before, const GuardConfig& after)
{
	std::vector<std::string> words;
	if (before.slo != after.slo)
		words.push_back(fmt::format("{} rules", after.slo.size()));
	if (before.on_fallback != after.on_fallback)
		words.push_back(fmt::format("on_fallback {}", or_word(after.on_fallback, "nothing")));
	if (before.webhook != after.webhook)
		words.push_back(fmt::format("webhook {}", or_word(after.webhook, "none")));
	if (before.metrics != after.metrics)
		words.push_back(fmt::format("metrics {}", or_word(after.metrics, "none")));
	return words;
}

}  // namespace

ConfigChange config_change(const GuardConfig& before, const GuardConfig& after)
{
	ConfigChange change;
	std::vector<std::string> words;
	for (const WantedBudget& budget : after.budgets) {
		const WantedBudget* old = find(before.budgets, budget.cgroup);
		if (old && *old == budget)
			continue;
		change.give.push_back(budget);
		words.push_back(fmt::format("budget of {} {}", budget.cgroup, budget_words(budget)));
	}
	for (const WantedBudget& old : before.budgets) {
		if (find(after.budgets, old.cgroup))
			continue;
		change.take.push_back(old.cgroup);
		words.push_back(fmt::format("no budget for {}", old.cgroup));
	}
	std::ranges::move(other_words(before, after), std::back_inserter(words));
	std::vector<std::string> loading = load_words(before, after);
	change.loads_anew = !loading.empty();
	if (change.loads_anew)
		words.push_back(fmt::format("{}: loading again", fmt::join(loading, ", ")));
	change.words = words.empty() ? "nothing changed" : fmt::format("{}", fmt::join(words, "; "));
	return change;
}

std::vector<std::string> config_lines(const GuardConfig& config)
{
	std::vector<std::string> lines;
	const auto add = [&lines](std::string_view key, std::string_view value) {
		lines.push_back(fmt::format("{:<12} {}", key, value));
	};
	add("scheduler", config.scheduler);
	add("cpus", or_word(config.cpus, "all"));
	add("serves", config.only ? "only the slices below" : "all tasks");
	if (!config.timeout.empty())
		add("timeout", config.timeout);
	for (const std::string& assignment : config.set)
		add("set", assignment);
	for (const std::string& slice : config.slices)
		add("slice", slice);
	for (const WantedBudget& budget : config.budgets)
		add("budget", fmt::format("{} {}", budget.cgroup, budget_words(budget)));
	for (const std::string& rule : config.slo)
		add("rule", rule);
	add("on_fallback", or_word(config.on_fallback, "nothing"));
	add("webhook", or_word(config.webhook, "none"));
	add("metrics", or_word(config.metrics, "none"));
	return lines;
}

}  // namespace punctual
