// SPDX-License-Identifier: GPL-2.0-only
#include "cli/sim_result.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/units.h"
#include "bench/result_json.h"
#include "bench/starts.h"

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

std::string duration_text(u64 ns)
{
	return format_duration(Nanoseconds(ns));
}

}  // namespace

ArmResult arm_of(const sim::Outcome& outcome, const sim::Scenario& scenario, const sim::SimLoad& load,
		 const sim::PolicyChoice& policy)
{
	const sim::ClassRecord& functions = outcome.classes[0];
	const u64 until_ns =
	    outcome.stopped_ns ? std::min(outcome.stopped_ns, scenario.count_until_ns) : scenario.count_until_ns;
	ArmResult arm;

	arm.name = policy.name;
	arm.budget_ns = policy.budget_ns;
	arm.scheduler = policy.kind == sim::PolicyKind::latency ? "scx_latency" : "";
	arm.latency = functions.packets;
	arm.offered = functions.nr_offered;
	arm.dropped = functions.nr_dropped;
	arm.window_ns = until_ns - scenario.count_from_ns;
	arm.waits = functions.waits.count();
	arm.wait_p999_ns = functions.waits.quantile_ns(0.999);
	for (const HistogramBucket& bucket : functions.waits.buckets())
		if (policy.budget_ns && bucket.min_ns > policy.budget_ns)
			arm.waits_missed += bucket.count;
	for (size_t i = 0; i < outcome.counted.size(); i++) {
		const sim::TaskRecord& record = outcome.counted[i];
		if (i < load.nr_functions) {
			arm.sleeps += record.nr_sleeps;
			arm.vnf_work_ns += record.own_work_ns;
			arm.vnf_cpu_ns += record.cpu_ns;
			arm.vnf_voluntary_switches += record.nr_sleeps;
			arm.vnf_involuntary_switches += record.nr_runs - std::min(record.nr_runs, record.nr_sleeps);
		} else {
			arm.background_work += record.own_work_ns;
			arm.background_work_ns += record.own_work_ns;
			arm.background_cpu_ns += record.cpu_ns;
			arm.background_voluntary_switches += record.nr_sleeps;
			arm.background_involuntary_switches +=
			    record.nr_runs - std::min(record.nr_runs, record.nr_sleeps);
		}
	}
	return arm;
}

Environment facts_of(const SimStudy& study, const sim::SimLoad& load, u64 start)
{
	static constexpr std::string_view kArrivals[] = {"constant", "poisson", "bursts", "on-off", "mmpp"};
	const u64 nr_background = load.nr_background ? load.nr_background : 2 * load.places.size();
	std::string arrivals(kArrivals[static_cast<size_t>(load.nic.arrivals)]);
	if (load.nic.arrivals == sim::Arrivals::bursts)
		arrivals += fmt::format(":{}", load.nic.burst);
	if (load.nic.imix)
		arrivals += ", IMIX";
	return {
	    {"machine", fmt::format("simulated: {}", topology_text(load.places))},
	    {"hz", std::to_string(load.hz)},
	    {"costs", study.costs.origin},
	    {"punctual", PUNCTUAL_VERSION},
	    {"cpus", std::to_string(load.places.size())},
	    {"packet_functions", std::to_string(load.nr_functions)},
	    {"packets_per_s", std::to_string(load.rate_per_s)},
	    {"arrivals", arrivals},
	    {"seed", std::to_string(study.seed + start)},
	    {"ring_packets", std::to_string(load.nic.ring)},
	    {"rx_usecs", std::to_string(load.nic.coalesce_ns / 1000)},
	    {"work", duration_text(load.work_ns)},
	    {"warmup", duration_text(load.warmup_ns)},
	    {"duration", duration_text(load.duration_ns)},
	    {"background", load.background_name},
	    {"background_processes", std::to_string(load.background == sim::SimBackground::none ? 0 : nr_background)}};
}

std::string study_to_json(const SimStudyResult& result, double margin)
{
	Json points = Json::array();
	for (const SimPointResult& point : result.points) {
		if (point.starts.empty())
			continue;
		const std::vector<ArmQuestion> questions =
		    point.starts.size() > 1 ? compare_starts(point.starts, margin) : std::vector<ArmQuestion>();
		Json document = Json::parse(starts_to_json(point.starts, questions));
		points.push_back(
		    {{"starts", std::move(document["starts"])}, {"questions", std::move(document["questions"])}});
	}
	return Json{{"schema", "punctual.sim"},          {"version", 1},
		    {"events", result.nr_events},        {"lost", 0},  // a simulation sees everything
		    {"interrupted", result.was_stopped}, {"points", std::move(points)}}
		   .dump() +
	       "\n";
}

}  // namespace punctual
