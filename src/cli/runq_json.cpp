// SPDX-License-Identifier: GPL-2.0-only
#include "cli/runq_json.h"

#include <nlohmann/json.hpp>

#include "cli/cgroup_name.h"
#include "object/class_waits.h"
#include "view/text.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

Json histogram_json(const WaitCounts& waits)
{
	Json buckets = Json::array();
	for (u32 i = 0; i < waits.buckets.size(); i++)
		if (waits.buckets[i] != 0)
			buckets.push_back({{"min_ns", loglin_min(i, LOGLIN_RUNQ_BITS)},
					   {"max_ns", loglin_max(i, LOGLIN_RUNQ_BITS)},
					   {"count", waits.buckets[i]}});
	return buckets;
}

Json waits_json(const WaitCounts& waits)
{
	return {{"count", waits.count()},
		{"sum_ns", waits.sum_ns},
		{"p50_ns", waits.quantile_ns(0.5)},
		{"p90_ns", waits.quantile_ns(0.9)},
		{"p99_ns", waits.quantile_ns(0.99)},
		{"p999_ns", waits.quantile_ns(0.999)},
		{"p9999_ns", waits.quantile_ns(0.9999)},
		{"max_ns", waits.max_ns},
		{"histogram", histogram_json(waits)}};
}

// The rest of a row comes after what names it.
Json with(Json names, const Json& rest)
{
	names.update(rest);
	return names;
}

Json losses_json(const WaitLosses& losses)
{
	return {{"lost", losses.lost},
		{"discarded", losses.discarded},
		{"unknown_start", losses.unknown_start},
		{"wakeup_while_running", losses.wakeup_while_running},
		{"wakeup_while_queued", losses.wakeup_while_queued},
		{"unseen_switches", losses.unseen_switches},
		{"outliers_dropped", losses.outliers_dropped}};
}

Json cgroup_json(const CgroupWaits& row)
{
	return with({{"id", row.id},
		     {"path", clean_text(row.path)},
		     {"removed", row.removed},
		     {"nr_periods", row.throttling.nr_periods},
		     {"nr_throttled", row.throttling.nr_throttled},
		     {"throttled_ns", row.throttling.throttled_ns}},
		    waits_json(row.waits));
}

Json culprits_json(const std::vector<Culprit>& culprits)
{
	Json rows = Json::array();
	for (const Culprit& row : culprits)
		if (row.ran_ns != 0)
			rows.push_back(
			    {{"victim_id", row.victim_id},
			     {"culprit_id", row.culprit_id == kUnknownCulprit ? Json() : Json(row.culprit_id)},
			     {"ran_ns", row.ran_ns}});
	return rows;
}

void add_rows(const WaitSnapshot& waits, WaitsBy by, Json* json)
{
	Json rows = Json::array();
	if (by == WaitsBy::cpu) {
		for (const CpuWaits& cpu : waits.cpus)
			rows.push_back(with({{"cpu", cpu.cpu}}, waits_json(cpu.all())));
		(*json)["cpus"] = std::move(rows);
	} else if (by == WaitsBy::cgroup) {
		for (const CgroupWaits& cgroup : waits.cgroups)
			rows.push_back(cgroup_json(cgroup));
		(*json)["cgroups"] = std::move(rows);
		(*json)["culprits"] = culprits_json(waits.culprits);
	} else if (by == WaitsBy::task) {
		for (const TaskWaits& task : waits.tasks)
			if (task.waits.nr > 0)
				rows.push_back({{"pid", task.pid},
						{"tgid", task.tgid},
						{"start_ns", task.start_ns},
						{"comm", clean_text(task.comm)},
						{"cgroup_id", task.cgroup_id},
						{"count", task.waits.nr},
						{"sum_ns", task.waits.sum_ns},
						{"max_ns_ever", task.waits.max_ns}});
		(*json)["tasks"] = std::move(rows);
	}
}

Json outlier_json(const WaitOutlier& outlier)
{
	Json runners = Json::array();
	for (const Runner& runner : outlier.runners)
		runners.push_back({{"pid", runner.pid},
				   {"comm", clean_text(runner.comm)},
				   {"cgroup_id", runner.cgroup_id},
				   {"ran_ns", runner.ran_ns}});
	return {{"end_ns", outlier.end_ns},
		{"wait_ns", outlier.wait_ns},
		{"kind", kWaitKindNames[static_cast<u32>(outlier.kind)]},
		{"cpu", outlier.cpu},
		{"pid", outlier.pid},
		{"comm", clean_text(outlier.comm)},
		{"cgroup_id", outlier.cgroup_id},
		{"runners", std::move(runners)}};
}

Json scheduler_json(const SchedulerWaits& scheduler)
{
	Json classes = Json::array();
	for (const class_stats& row : scheduler.classes)
		classes.push_back({{"cgroup", clean_text(cgroup_name(row.cgroup_id).value_or("(removed)"))},
				   {"cgroup_id", row.cgroup_id},
				   {"budget_ns", row.budget_ns},
				   {"waits", row.nr_waits},
				   {"missed", row.nr_missed},
				   {"queue_ns_mean", mean_parts(row).queue_ns},
				   {"start_ns_mean", mean_parts(row).start_ns},
				   {"p50_ns", wait_quantile_ns(row, 0.5)},
				   {"p99_ns", wait_quantile_ns(row, 0.99)},
				   {"p999_ns", wait_quantile_ns(row, 0.999)}});
	return {{"name", clean_text(scheduler.scheduler)}, {"classes", std::move(classes)}};
}

}  // namespace

std::string runq_json(const RunqWindow& window)
{
	const WaitSnapshot& waits = window.waits;
	Json json = {{"schema", "punctual.runq"},   {"version", 1},          {"window", window.number},
		     {"begin_ns", window.begin_ns}, {"end_ns", waits.at_ns}, {"partial", window.partial}};
	json["all"] = waits_json(waits.all());
	for (u32 kind = 0; kind < kWaitKinds; kind++)
		json["kinds"][std::string(kWaitKindNames[kind])] =
		    waits_json(waits.of_kind(static_cast<WaitKind>(kind)));
	if (waits.waking)
		json["waking_to_wakeup"] = waits_json(*waits.waking);
	add_rows(waits, window.by, &json);
	json["quantile_error_max"] = WaitCounts::kErrorMax;
	json["losses"] = losses_json(waits.losses);
	json["open"] = {{"count", waits.open.nr},
			{"longest_ns", waits.open.longest_ns},
			{"pid", waits.open.pid},
			{"comm", clean_text(waits.open.comm)}};
	if (!window.scheduler.scheduler.empty())
		json["scheduler"] = scheduler_json(window.scheduler);
	if (window.outliers) {
		json["outliers"] = Json::array();
		for (const WaitOutlier& outlier : *window.outliers)
			json["outliers"].push_back(outlier_json(outlier));
	}
	if (window.cost)
		json["cost"] = {{"events", window.cost->nr_events},
				{"run_ns", window.cost->run_ns},
				{"calibration_ns", window.cost->calibration_ns},
				{"elapsed_ns", window.cost->elapsed_ns}};
	return json.dump();
}

}  // namespace punctual
