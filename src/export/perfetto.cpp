// SPDX-License-Identifier: GPL-2.0-only
// The few messages of Perfetto's trace format that we need, written by hand: a field is a key (number and wire
// type), then a varint, or a length and bytes. The numbers are those of protos/perfetto/trace in Perfetto.
#include "export/perfetto.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace punctual {
namespace {

// Fields, by message.
enum TraceField : u32 { kTracePacket = 1 };
enum PacketField : u32 { kTimestamp = 8, kSequence = 10, kEvent = 11, kDescriptor = 60 };
enum DescriptorField : u32 { kUuid = 1, kName = 2, kCounter = 8 };
enum EventField : u32 { kAnnotation = 4, kType = 9, kTrack = 11, kEventName = 23, kCounterValue = 30 };
enum AnnotationField : u32 { kStringValue = 6, kAnnotationName = 10 };
enum EventType : u32 { kSliceBegin = 1, kSliceEnd = 2, kInstant = 3, kCount = 4 };

// Tracks.
constexpr u64 kP99Track = 1, kLongestTrack = 2, kNumberTrack = 3, kSchedulerTrack = 4, kFirstWaitTrack = 1000;
constexpr size_t kLanesMax = 32;  // of a CPU

void put_varint(std::string& out, u64 value)
{
	for (; value >= 0x80; value >>= 7)
		out += static_cast<char>(value | 0x80);
	out += static_cast<char>(value);
}

void put(std::string& out, u32 field, u64 value)
{
	put_varint(out, u64{field} << 3);
	put_varint(out, value);
}

void put(std::string& out, u32 field, std::string_view bytes)
{
	put_varint(out, u64{field} << 3 | 2);
	put_varint(out, bytes.size());
	out += bytes;
}

// protobuf takes only UTF-8, and a name may be anything.
std::string ascii(std::string_view text)
{
	std::string out(text);
	std::ranges::replace_if(out, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
	return out;
}

void put_packet(std::string& out, std::string packet)
{
	put(packet, kSequence, u64{1});
	put(out, kTracePacket, packet);
}

void put_track(std::string& out, u64 track, std::string_view name, bool is_counter)
{
	std::string descriptor, packet;
	put(descriptor, kUuid, track);
	put(descriptor, kName, name);
	if (is_counter)
		put(descriptor, kCounter, std::string_view());
	put(packet, kDescriptor, descriptor);
	put_packet(out, packet);
}

void put_event(std::string& out, u64 at_ns, u64 track, EventType type, const std::string& rest)
{
	std::string event, packet;
	put(event, kType, u64{type});
	put(event, kTrack, track);
	event += rest;
	put(packet, kTimestamp, at_ns);
	put(packet, kEvent, event);
	put_packet(out, packet);
}

void put_count(std::string& out, u64 at_ns, u64 track, u64 value)
{
	std::string rest;
	put(rest, kCounterValue, value);
	put_event(out, at_ns, track, kCount, rest);
}

std::string annotation(std::string_view name, const std::string& value)
{
	std::string body, out;
	put(body, kAnnotationName, name);
	put(body, kStringValue, ascii(value));
	put(out, kAnnotation, body);
	return out;
}

std::string cgroup_of(const WaitSnapshot& total, u64 id)
{
	const CgroupWaits* cgroup = total.cgroup(id);
	return cgroup ? cgroup->path : fmt::format("id {}", id);
}

std::string slice_of(const WaitOutlier& outlier, const WaitSnapshot& total)
{
	std::string rest, runners;
	put(rest, kEventName, ascii(fmt::format("{} {}", outlier.comm, outlier.pid)));
	rest += annotation("began by", std::string(kWaitKindNames[std::to_underlying(outlier.kind)]));
	rest += annotation("cgroup", cgroup_of(total, outlier.cgroup_id));
	for (const Runner& runner : outlier.runners)
		runners +=
		    fmt::format("{}{} {} {} ns", runners.empty() ? "" : ", ", runner.comm, runner.pid, runner.ran_ns);
	return rest + annotation("ran meanwhile", runners);
}

}  // namespace

PerfettoTrace::PerfettoTrace()
{
	put_track(bytes_, kP99Track, "p99 of waits, ns", true);
	put_track(bytes_, kLongestTrack, "longest wait, ns", true);
	put_track(bytes_, kNumberTrack, "waits in the window", true);
	put_track(bytes_, kSchedulerTrack, "scheduler", false);
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
			put_track(bytes_, track, fmt::format("waits for CPU {}", outlier.cpu), false);
		*lane = std::max<u64>(outlier.end_ns, 1);
		put_event(bytes_, begin_ns(outlier), track, kSliceBegin, slice_of(outlier, total));
		put_event(bytes_, outlier.end_ns, track, kSliceEnd, "");
	}
}

void PerfettoTrace::add_instant(u64 at_ns, const std::string& name)
{
	std::string rest;
	put(rest, kEventName, ascii(name));
	put_event(bytes_, at_ns, kSchedulerTrack, kInstant, rest);
}

}  // namespace punctual
