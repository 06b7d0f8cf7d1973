// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <tuple>

#include <nlohmann/json.hpp>

#include "export/live.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kCgroupsShown = 12;

// Names of cgroups are bytes that anybody chooses: what is no UTF-8 is replaced.
std::string dump(const Json& json)
{
	return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json text_or_null(const std::string& text)
{
	return text.empty() ? Json() : Json(text);
}

Json point_json(const LivePoint& point)
{
	return {{"at_ns", point.at_ns},     {"scheduler", text_or_null(point.ops)},
		{"waits", point.nr},        {"p50_ns", point.p50_ns},
		{"p90_ns", point.p90_ns},   {"p99_ns", point.p99_ns},
		{"p999_ns", point.p999_ns}, {"max_ns", point.max_ns},
		{"lost", point.lost},       {"octaves", point.octaves}};
}

Json scheduler_json(const LiveScheduler& scheduler)
{
	Json json = {{"has_sched_ext", scheduler.has_sched_ext},
		     {"scheduler", text_or_null(scheduler.ops)},
		     {"serves_all", scheduler.serves_all},
		     {"age_ns", scheduler.age_ns ? Json(*scheduler.age_ns) : Json()},
		     {"ejections", scheduler.nr_ejections ? Json(*scheduler.nr_ejections) : Json()},
		     {"last_end", text_or_null(scheduler.last_end)},
		     {"starved", scheduler.nr_starved ? Json(*scheduler.nr_starved) : Json()},
		     {"trouble", text_or_null(scheduler.trouble)},
		     {"classes", Json::array()}};
	for (const LiveClass& row : scheduler.classes)
		json["classes"].push_back({{"cgroup", row.cgroup},
					   {"budget_ns", row.budget_ns},
					   {"waits", row.nr_waits},
					   {"missed", row.nr_missed},
					   {"windows", row.nr_windows},
					   {"infeasible_windows", row.nr_infeasible},
					   {"infeasible_text", text_or_null(row.infeasible)},
					   {"recent_waits", row.nr_recent_waits},
					   {"recent_missed", row.nr_recent_missed},
					   {"recent_p99_ns", row.recent_p99_ns}});
	return json;
}

Json guard_json(const LiveGuard& guard)
{
	Json exits = Json::object();
	for (const auto& [reason, nr] : guard.exits)
		exits[reason] = nr;
	return {{"running", guard.is_running},   {"phase", guard.phase},
		{"held_by", guard.held_by},      {"reason", text_or_null(guard.reason)},
		{"faults", guard.nr_faults},     {"loads", guard.nr_loads},
		{"warnings", guard.nr_warnings}, {"exits", exits}};
}

// Those that waited longest.
Json cgroups_json(std::vector<CgroupWaits> rows)
{
	std::ranges::sort(rows, [](const CgroupWaits& a, const CgroupWaits& b) {
		return std::tie(b.waits.sum_ns, a.path) < std::tie(a.waits.sum_ns, b.path);
	});
	Json json = Json::array();
	for (const CgroupWaits& row : rows) {
		if (json.size() == kCgroupsShown || row.waits.count() == 0)
			break;
		json.push_back({{"cgroup", row.id == 0 ? "(other)" : row.path},
				{"waits", row.waits.count()},
				{"wait_ns_sum", row.waits.sum_ns},
				{"p50_ns", row.waits.quantile_ns(0.5)},
				{"p99_ns", row.waits.quantile_ns(0.99)},
				{"max_ns", row.waits.max_ns},
				{"throttled_ns", row.throttling.throttled_ns}});
	}
	return json;
}

}  // namespace

LivePoint live_point(const WaitSnapshot& interval, u64 at_ns, const std::string& ops)
{
	const WaitCounts all = interval.all();
	LivePoint point{.at_ns = at_ns,
			.ops = ops,
			.nr = all.count(),
			.p50_ns = all.quantile_ns(0.5),
			.p90_ns = all.quantile_ns(0.9),
			.p99_ns = all.quantile_ns(0.99),
			.p999_ns = all.quantile_ns(0.999),
			.max_ns = all.max_ns,
			.lost = interval.losses.lost};
	size_t octave = 0;
	for (u32 at = 0; at < all.buckets.size(); at++) {
		while (octave + 1 < LivePoint::kOctaves && loglin_max(at, LOGLIN_RUNQ_BITS) >= u64{1024} << octave)
			octave++;
		point.octaves[octave] += all.buckets[at];
	}
	return point;
}

std::string live_json(const LiveFacts& facts, const std::optional<LivePoint>& latest)
{
	Json json = {{"schema", "punctual.live"},
		     {"version", 1},
		     {"punctual", facts.version},
		     {"host", facts.host},
		     {"at_ns", facts.at_ns},
		     {"interval_ns", facts.interval_ns},
		     {"lost", facts.waits ? facts.waits->losses.lost : 0},
		     {"probes_ns", facts.probes_ns ? Json(*facts.probes_ns) : Json()},
		     {"scheduler", scheduler_json(facts.scheduler)},
		     {"guard", facts.guard ? guard_json(*facts.guard) : Json()},
		     {"guard_trouble", text_or_null(facts.guard_trouble)},
		     {"waits_trouble", text_or_null(facts.waits_trouble)},
		     {"recent_ns", facts.recent_ns},
		     {"cgroups", cgroups_json(facts.recent)},
		     {"latest", latest ? point_json(*latest) : Json()}};
	return dump(json);
}

std::string history_json(const std::deque<LivePoint>& points, u64 interval_ns)
{
	Json json = {{"schema", "punctual.history"},
		     {"version", 1},
		     {"interval_ns", interval_ns},
		     {"lost", 0},
		     {"points", Json::array()}};
	u64 lost = 0;
	for (const LivePoint& point : points) {
		json["points"].push_back(point_json(point));
		lost += point.lost;
	}
	json["lost"] = lost;
	return dump(json);
}

}  // namespace punctual
