// SPDX-License-Identifier: GPL-2.0-only
#include "cli/status_document.h"

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "cli/cgroup_name.h"
#include "cli/feasible_words.h"
#include "object/class_waits.h"
#include "object/loaded.h"
#include "view/text.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

std::string class_name(uint64_t id)
{
	return clean_text(cgroup_name(id).value_or(fmt::format("id {} (removed)", id)));
}

uint64_t ns_since(uint64_t boottime_ns)
{
	return clock_ns(CLOCK_BOOTTIME) - boottime_ns;
}

void add_verdict(const class_verdict& verdict, Json* json)
{
	const bool ever = verdict.nr_infeasible > 0;
	(*json)["windows"] = verdict.nr_windows;
	(*json)["infeasible_windows"] = verdict.nr_infeasible;
	(*json)["infeasible_count"] = infeasible_count(verdict);
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

}  // namespace

Result<std::string> status_document()
{
	const std::optional<LoadedScheduler> loaded = TRY(loaded_scheduler());
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
			add_verdict(loaded->verdict_of(row), &json["classes"].back());
		}
	}
	return json.dump();
}

}  // namespace punctual
