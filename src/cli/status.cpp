// SPDX-License-Identifier: GPL-2.0-only
// punctual status and punctual unload: look at, and detach, whatever scheduler is loaded.
#include <time.h>

#include <algorithm>
#include <memory>

#include <nlohmann/json.hpp>

#include "base/units.h"
#include "cli/cgroup_name.h"
#include "cli/commands.h"
#include "cli/feasible_words.h"
#include "object/class_waits.h"
#include "object/loaded.h"
#include "scope/partial.h"
#include "view/text.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

double microseconds(uint64_t ns)
{
	return static_cast<double>(ns) / 1e3;
}

std::string class_name(uint64_t id)
{
	return clean_text(cgroup_name(id).value_or(fmt::format("id {} (removed)", id)));
}

// Zeros when no window of the class has ended.
class_verdict verdict_of(const LoadedScheduler& loaded, const class_stats& row)
{
	auto verdict = std::ranges::find(loaded.verdicts, row.cgroup_id, &class_verdict::cgroup_id);
	return verdict == loaded.verdicts.end() ? class_verdict() : *verdict;
}

uint64_t ns_since(uint64_t boottime_ns)
{
	timespec now = {};
	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec - boottime_ns;
}

void add_verdict(const class_verdict& verdict, Json* json)
{
	const bool ever = verdict.nr_infeasible > 0;
	(*json)["windows"] = verdict.nr_windows;
	(*json)["infeasible_windows"] = verdict.nr_infeasible;
	(*json)["infeasible_now"] = verdict.reason_now != FEASIBLE;
	(*json)["infeasible_reason"] = ever ? Json(reason_key(verdict.reason)) : Json();
	(*json)["infeasible_text"] = ever ? Json(infeasible_words(verdict)) : Json();
	(*json)["infeasible_ns_ago"] = ever ? Json(ns_since(verdict.at_ns)) : Json();
}

Json class_json(const class_stats& row)
{
	return {{"cgroup", class_name(row.cgroup_id)},
		{"cgroup_id", row.cgroup_id},
		{"budget_ns", row.budget_ns},
		{"waits", row.nr_waits},
		{"missed", row.nr_missed},
		{"wait_ns_sum", row.wait_ns_sum},
		{"queue_ns_sum", row.queue_ns_sum},
		{"start_ns_max", row.start_ns_max},
		{"p50_ns", wait_quantile_ns(row, 0.5)},
		{"p99_ns", wait_quantile_ns(row, 0.99)},
		{"p999_ns", wait_quantile_ns(row, 0.999)},
		{"max_ns", row.wait_ns_max}};
}

Json stats_json(const sched_stats& stats)
{
	return {{"enqueued", stats.nr_enqueued},
		{"idle_cpu", stats.nr_idle_cpu},
		{"dispatched", stats.nr_dispatched},
		{"preempted_at_wakeup", stats.nr_preempt_now},
		{"preempted_at_start", stats.nr_preempt_late},
		{"timers_armed", stats.nr_timer_armed},
		{"timers_fired", stats.nr_timer_fired},
		{"preempted_by_timer", stats.nr_timer_preempted},
		{"moved_to_another_cache", stats.nr_remote},
		{"floor_granted", stats.nr_floor_granted},
		{"preempted_by_floor", stats.nr_floor_preempted},
		{"starved", stats.nr_starved},
		{"resumed", stats.nr_resumed},
		{"budget_lookups", stats.nr_budget_lookups}};
}

void print_json(const std::optional<LoadedScheduler>& loaded)
{
	Json json = {{"schema", "punctual.status"}, {"version", 1}, {"enabled", loaded.has_value()}, {"lost", 0}};
	if (loaded) {
		json["scheduler"] = loaded->name;
		json["serves_all"] = loaded->serves_all;
		json["loaded_ns_ago"] = loaded->loaded_ns_ago;
		json["programs"] = Json::array();
		for (const LoadedProgram& program : loaded->programs)
			json["programs"].push_back({{"id", program.id}, {"name", program.name}});
		if (loaded->stats)
			json["counters"] = stats_json(*loaded->stats);
		json["classes"] = Json::array();
		for (const class_stats& row : loaded->classes) {
			json["classes"].push_back(class_json(row));
			add_verdict(verdict_of(*loaded, row), &json["classes"].back());
		}
	}
	fmt::print("{}\n", json.dump(2));
}

void print_text(const LoadedScheduler& loaded)
{
	fmt::print("scheduler  {} ({}), loaded {} s ago\n", loaded.name,
		   loaded.serves_all ? "serves all tasks" : "partial: SCHED_EXT only",
		   loaded.loaded_ns_ago / 1000000000);
	fmt::print("programs  ");
	for (const LoadedProgram& program : loaded.programs)
		fmt::print(" {}:{}", program.id, program.name);
	fmt::print("\n");
	if (loaded.stats) {
		Json counters = stats_json(*loaded.stats);
		for (const auto& [name, value] : counters.items())
			fmt::print("{:<20} {:>14}\n", name, value.get<uint64_t>());
	}
	if (loaded.classes.empty())
		return;
	fmt::print("{:<24} {:>10} {:>12} {:>10} {:>10} {:>10} {:>10}\n", "cgroup", "budget", "waits", "missed",
		   "p50 us", "p99 us", "max us");
	for (const class_stats& row : loaded.classes)
		fmt::print("{:<24} {:>10} {:>12} {:>10} {:>10.1f} {:>10.1f} {:>10.1f}\n", class_name(row.cgroup_id),
			   format_duration(Nanoseconds(row.budget_ns)), row.nr_waits, row.nr_missed,
			   microseconds(wait_quantile_ns(row, 0.5)), microseconds(wait_quantile_ns(row, 0.99)),
			   microseconds(row.wait_ns_max));
	for (const class_stats& row : loaded.classes)
		if (class_verdict verdict = verdict_of(loaded, row); verdict.nr_infeasible > 0)
			fmt::print("{}: {}, the last {:.1f} s ago: {}\n", class_name(row.cgroup_id),
				   infeasible_count(verdict), static_cast<double>(ns_since(verdict.at_ns)) / 1e9,
				   infeasible_words(verdict));
}

}  // namespace

Action setup_status(CLI::App& app)
{
	auto as_json = std::make_shared<bool>(false);
	app.add_flag("-j,--json", *as_json, "one JSON document");
	return [as_json]() -> Result<ExitCode> {
		std::optional<LoadedScheduler> loaded = TRY(loaded_scheduler());
		if (*as_json)
			print_json(loaded);
		else if (loaded)
			print_text(*loaded);
		else
			fmt::print("no sched_ext scheduler is loaded: the kernel runs its own\n");
		return ExitCode::ok;
	};
}

Action setup_unload(CLI::App&)
{
	return []() -> Result<ExitCode> {
		Status unloaded = unload_scheduler();
		if (unloaded)
			fmt::print(stderr, "punctual: detached; the kernel runs its own scheduler\n");
		// What a killed loader left is repaired even when a scheduler resists.
		std::vector<std::string> repaired = TRY(repair_partial_scope());
		for (const std::string& line : repaired)
			fmt::print(stderr, "punctual: {}\n", line);
		const auto left = loaded_scheduler();
		if (!unloaded && (repaired.empty() || left.value_or(std::nullopt)))
			return std::unexpected(unloaded.error());
		return ExitCode::ok;
	};
}

}  // namespace punctual
