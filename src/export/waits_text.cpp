// SPDX-License-Identifier: GPL-2.0-only
#include "export/waits_text.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "export/harmless.h"
#include "export/metric_text.h"

namespace punctual {
namespace {

constexpr size_t kSeriesMax = 256;
constexpr u32 kOctaves = 21;  // from 1 us to 1 s
// As the metric's label has them.
constexpr std::array<const char*, kWaitKinds> kKindLabels = {"wakeup", "preempt", "new"};

void append_histogram(std::string& out, std::string_view name, const std::string& labels, const WaitCounts& counts)
{
	u64 below = 0;
	u32 next = 0;
	for (u32 octave = 0; octave < kOctaves; octave++)
		for (u64 least_ns : {u64{1024}, u64{1536}}) {
			const u64 bound_ns = least_ns << octave;
			for (; next < counts.buckets.size() && loglin_max(next, LOGLIN_RUNQ_BITS) < bound_ns; next++)
				below += counts.buckets[next];
			out += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name, labels, metric_seconds(bound_ns),
					   below);
		}
	out += fmt::format("{}_bucket{{{},le=\"+Inf\"}} {}\n{}_sum{{{}}} {}\n{}_count{{{}}} {}\n", name, labels,
			   counts.count(), name, labels, metric_seconds(counts.sum_ns), name, labels, counts.count());
}

struct Series {
	WaitCounts waits;
	Throttling throttling;
};

// Those that waited longest have a series of their own.
std::map<std::string, Series> series_of(const std::vector<CgroupWaits>& cgroups)
{
	std::map<std::string, Series> by_path;
	auto add = [](Series& to, const WaitCounts& waits, const Throttling& throttling) {
		to.waits.merge(waits);
		to.throttling.nr_periods += throttling.nr_periods;
		to.throttling.nr_throttled += throttling.nr_throttled;
		to.throttling.throttled_ns += throttling.throttled_ns;
	};
	for (const CgroupWaits& row : cgroups)
		add(by_path[row.id == 0 ? "(other)" : metric_label(row.path)], row.waits, row.throttling);
	std::vector<std::pair<u64, std::string>> order;
	for (const auto& [path, series] : by_path)
		if (path != "(other)")
			order.emplace_back(series.waits.sum_ns, path);
	std::ranges::sort(order, std::greater());
	for (size_t at = kSeriesMax; at < order.size(); at++) {
		const auto rest = by_path.extract(order[at].second);
		add(by_path["(other)"], rest.mapped().waits, rest.mapped().throttling);
	}
	return by_path;
}

std::string frame_of(const WaitSnapshot& total, u64 id)
{
	return harmless(cgroup_path(total, id), "; ");
}

}  // namespace

std::string wait_metrics(const WaitSnapshot& total)
{
	std::string out;
	append_metric_head(out, "punctual_runq_latency_seconds", "histogram", "Waits for a CPU, by how they began.");
	for (u32 kind = 0; kind < kWaitKinds; kind++)
		append_histogram(out, "punctual_runq_latency_seconds", fmt::format("kind=\"{}\"", kKindLabels[kind]),
				 total.of_kind(static_cast<WaitKind>(kind)));
	append_metric_head(out, "punctual_runq_wait_seconds_total", "counter", "Time spent in these waits.");
	for (u32 kind = 0; kind < kWaitKinds; kind++)
		out += fmt::format("punctual_runq_wait_seconds_total{{kind=\"{}\"}} {}\n", kKindLabels[kind],
				   metric_seconds(total.of_kind(static_cast<WaitKind>(kind)).sum_ns));
	const auto by_path = series_of(total.cgroups);
	append_metric_head(out, "punctual_cgroup_runq_latency_seconds", "histogram", "The same waits by cgroup.");
	for (const auto& [path, series] : by_path)
		append_histogram(out, "punctual_cgroup_runq_latency_seconds", fmt::format("cgroup=\"{}\"", path),
				 series.waits);
	append_metric_head(out, "punctual_cgroup_throttled_seconds_total", "counter", "Throttled by cpu.max.");
	for (const auto& [path, series] : by_path)
		out += fmt::format("punctual_cgroup_throttled_seconds_total{{cgroup=\"{}\"}} {}\n", path,
				   metric_seconds(series.throttling.throttled_ns));
	append_metric_head(out, "punctual_samples_lost_total", "counter", "Events that could not be counted.");
	out += fmt::format("punctual_samples_lost_total {}\n", total.losses.lost);
	return out;
}

std::string prometheus_text(const WaitSnapshot& total, std::string_view scheduler)
{
	std::string out = wait_metrics(total);
	append_metric_head(out, "punctual_scheduler_info", "gauge", "The scheduler at the start.");
	out += fmt::format("punctual_scheduler_info{{ops=\"{}\"}} 1\n", metric_label(scheduler));
	return out;
}

std::string folded_text(const WaitSnapshot& total)
{
	std::map<std::string, u64> lines;
	for (const Culprit& row : total.culprits)
		lines[frame_of(total, row.victim_id) + ";" + frame_of(total, row.culprit_id)] += row.ran_ns;
	std::string out;
	for (const auto& [stack, ran_ns] : lines)
		if (ran_ns)
			out += fmt::format("{} {}\n", stack, ran_ns);
	return out;
}

}  // namespace punctual
