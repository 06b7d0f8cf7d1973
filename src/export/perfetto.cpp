// SPDX-License-Identifier: GPL-2.0-only
#include "export/perfetto.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "export/perfetto_packets.h"

namespace punctual {
namespace {

using namespace perfetto;

// Tracks.
constexpr u64 kP99Track = 1, kLongestTrack = 2, kNumberTrack = 3, kSchedulerTrack = 4, kFirstWaitTrack = 1000;
constexpr size_t kLanesMax = 32;  // of a CPU

void put_count(std::string& out, u64 at_ns, u64 track, u64 value)
{
	put_event(out, at_ns, track, EventType::count,
		  [&](auto& event) { event.add_int64(Event::counter_value, static_cast<s64>(value)); });
}

void annotate(protozero::pbf_builder<Event>& event, const std::string& name, const std::string& value)
{
	protozero::pbf_builder<Annotation> annotation(event, Event::annotation);
	annotation.add_string(Annotation::name, name);
	annotation.add_string(Annotation::string_value, ascii(value));
}

std::string cgroup_of(const WaitSnapshot& total, u64 id)
{
	const CgroupWaits* cgroup = total.cgroup(id);
	return cgroup ? cgroup->path : fmt::format("id {}", id);
}

std::string runners_of(const WaitOutlier& outlier)
{
	std::string runners;
	for (const Runner& runner : outlier.runners)
		runners +=
		    fmt::format("{}{} {} {} ns", runners.empty() ? "" : ", ", runner.comm, runner.pid, runner.ran_ns);
	return runners;
}

void put_wait(std::string& out, u64 track, u64 begin_ns, const WaitOutlier& outlier, const WaitSnapshot& total)
{
	put_event(out, begin_ns, track, EventType::slice_begin, [&](auto& event) {
		event.add_string(Event::name, ascii(fmt::format("{} {}", outlier.comm, outlier.pid)));
		annotate(event, "began by", std::string(kWaitKindNames[std::to_underlying(outlier.kind)]));
		annotate(event, "cgroup", cgroup_of(total, outlier.cgroup_id));
		annotate(event, "ran meanwhile", runners_of(outlier));
	});
	put_event(out, outlier.end_ns, track, EventType::slice_end, [](auto&) {});
}

}  // namespace

PerfettoTrace::PerfettoTrace()
{
	put_track(bytes_, kP99Track, "p99 of waits", Unit::time_ns);
	put_track(bytes_, kLongestTrack, "longest wait", Unit::time_ns);
	put_track(bytes_, kNumberTrack, "waits in the window", Unit::count);
	put_track(bytes_, kSchedulerTrack, "scheduler");
}

void PerfettoTrace::add_window(u64 begin_ns, const WaitSnapshot& window)
{
	const WaitCounts all = window.all();
	put_count(bytes_, begin_ns, kP99Track, all.quantile_ns(0.99));
	put_count(bytes_, begin_ns, kLongestTrack, all.max_ns);
	put_count(bytes_, begin_ns, kNumberTrack, all.count());
}

void PerfettoTrace::add_outliers(std::vector<WaitOutlier> outliers, const WaitSnapshot& total)
{
	auto begin_ns = [](const WaitOutlier& row) { return row.end_ns - std::min(row.wait_ns, row.end_ns); };
	std::ranges::sort(outliers, {}, begin_ns);
	std::map<u32, std::vector<u64>> lanes;  // of a CPU: until when each is taken
	for (const WaitOutlier& outlier : outliers) {
		std::vector<u64>& taken = lanes[outlier.cpu];
		auto lane = std::ranges::find_if(taken, [&](u64 until_ns) { return until_ns <= begin_ns(outlier); });
		if (lane == taken.end() && taken.size() == kLanesMax)
			continue;
		if (lane == taken.end())
			lane = taken.insert(taken.end(), 0);
		const u64 track = kFirstWaitTrack + outlier.cpu * kLanesMax + static_cast<u64>(lane - taken.begin());
		if (*lane == 0)
			put_track(bytes_, track, fmt::format("waits for CPU {}", outlier.cpu));
		*lane = std::max<u64>(outlier.end_ns, 1);
		put_wait(bytes_, track, begin_ns(outlier), outlier, total);
	}
}

void PerfettoTrace::add_instant(u64 at_ns, const std::string& name)
{
	put_event(bytes_, at_ns, kSchedulerTrack, EventType::instant,
		  [&](auto& event) { event.add_string(Event::name, ascii(name)); });
}

}  // namespace punctual
