// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <map>

#include <protozero/pbf_reader.hpp>

#include "export/perfetto.h"
#include "export/perfetto_runs.h"
#include "export/waits_text.h"
#include "tests/unit/simulated_waits.h"

namespace punctual {
namespace {

WaitSnapshot three_waits()
{
	WaitSnapshot total;
	total.cpus.resize(1);
	total.cpus[0].kinds[1].record(1000);
	total.cpus[0].kinds[1].record(1024);
	total.cpus[0].kinds[1].record(5'000'000'000);
	total.cgroups = {{7, "/a\"b\nc;d\x1b", false, {}, {}}, {8, "/a", false, {}, {}}, {9, "/a", true, {}, {}}};
	total.cgroups[1].waits.record(2000);
	total.cgroups[2].waits.record(3000);
	total.culprits = {{7, 8, 100}, {8, kUnknownCulprit, 20}, {9, kUnknownCulprit, 3}, {8, 8, 0}};
	total.losses.lost = 4;
	return total;
}

bool has_line(const std::string& text, const std::string& line)
{
	return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Prometheus, BoundsAreBucketEdgesAndCountsAddUp)
{
	const std::string text = prometheus_text(three_waits(), "EEVDF");
	const std::string bucket = "punctual_runq_latency_seconds_bucket{kind=\"preempt\",le=";
	EXPECT_TRUE(has_line(text, bucket + "\"1.024e-06\"} 1")) << text.substr(0, 1500);
	EXPECT_TRUE(has_line(text, bucket + "\"1.536e-06\"} 2"));
	EXPECT_TRUE(has_line(text, bucket + "\"1.610612736\"} 2"));
	EXPECT_TRUE(has_line(text, bucket + "\"+Inf\"} 3"));
	EXPECT_TRUE(has_line(text, "punctual_runq_latency_seconds_count{kind=\"preempt\"} 3"));
	EXPECT_TRUE(has_line(text, "punctual_runq_latency_seconds_sum{kind=\"preempt\"} 5.000002024"));
	EXPECT_TRUE(has_line(text, "punctual_samples_lost_total 4"));
	EXPECT_TRUE(has_line(text, "punctual_scheduler_info{ops=\"EEVDF\"} 1"));
}

TEST(Prometheus, CgroupsOfOnePathAreOneSeriesAndNamesAreHarmless)
{
	const std::string text = prometheus_text(three_waits(), "EEVDF");
	EXPECT_TRUE(has_line(text, "punctual_cgroup_runq_latency_seconds_count{cgroup=\"/a\"} 2"));
	EXPECT_NE(text.find("cgroup=\"/a_x22b_x0ac;d_x1b\""), std::string::npos);
	for (char c : text)
		EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f));
}

TEST(Prometheus, SeriesHaveABound)
{
	WaitSnapshot total;
	for (u64 id = 1; id <= 1000; id++) {
		total.cgroups.push_back({id, "/" + std::to_string(id), false, {}, {}});
		total.cgroups.back().waits.record(id);
	}
	const std::string text = prometheus_text(total, "EEVDF");
	EXPECT_TRUE(has_line(text, "punctual_cgroup_runq_latency_seconds_count{cgroup=\"(other)\"} 744"));
	EXPECT_TRUE(has_line(text, "punctual_cgroup_runq_latency_seconds_count{cgroup=\"/1000\"} 1"));
	EXPECT_EQ(text.find("cgroup=\"/744\""), std::string::npos);
}

TEST(Folded, IsVictimThenCulprit)
{
	EXPECT_EQ(folded_text(three_waits()), "/a\"b_x0ac_x3bd_x1b;/a 100\n/a;(unknown) 23\n");
}

// Fields of a message: number -> values in order; varints as text.
std::multimap<u64, std::string> fields_of(std::string_view bytes)
{
	std::multimap<u64, std::string> fields;
	protozero::pbf_reader message(bytes.data(), bytes.size());
	while (message.next()) {
		const bool is_number = message.wire_type() == protozero::pbf_wire_type::varint;
		const u64 field = message.tag();  // before the value is read: that forgets it, unless NDEBUG is set
		fields.emplace(field, is_number ? std::to_string(message.get_uint64()) : message.get_string());
	}
	return fields;
}

TEST(Perfetto, WaitsThatOverlapAreOnDifferentTracks)
{
	PerfettoTrace trace;
	auto wait = [](u64 begin_ns, u64 end_ns) {
		return WaitOutlier{end_ns, end_ns - begin_ns,  WaitKind::wakeup, 3, 42, "name\xff",
				   7,      {{43, "hog", 7, 5}}};
	};
	trace.add_outliers({wait(200, 300), wait(100, 250), wait(260, 400)}, three_waits());
	std::map<std::string, std::vector<std::string>> types;  // by track
	for (const auto& [field, packet] : fields_of(trace.bytes())) {
		EXPECT_EQ(field, 1u);
		const auto fields = fields_of(packet);
		if (!fields.contains(11))
			continue;
		const auto event = fields_of(fields.find(11)->second);
		types[event.find(11)->second].push_back(event.find(9)->second + " " + fields.find(8)->second);
	}
	ASSERT_EQ(types.size(), 2u);
	EXPECT_EQ(types.begin()->second, (std::vector<std::string>{"1 100", "2 250", "1 260", "2 400"}));
	EXPECT_EQ(types.rbegin()->second, (std::vector<std::string>{"1 200", "2 300"}));
	EXPECT_NE(trace.bytes().find("name? 42"), std::string::npos);
	EXPECT_NE(trace.bytes().find("hog 43 5 ns"), std::string::npos);
}

TEST(Perfetto, WindowIsThreeCounters)
{
	PerfettoTrace trace;
	const size_t before = fields_of(trace.bytes()).size();
	trace.add_window(77, three_waits());
	EXPECT_EQ(fields_of(trace.bytes()).size(), before + 3);
	trace.add_instant(78, "scx_simple");
	EXPECT_NE(trace.bytes().find("scx_simple"), std::string::npos);
}

TEST(Perfetto, RunsAreSlicesOnTheTrackOfTheirCpuAndGroup)
{
	PerfettoRuns trace;
	trace.begin_group("a", 2);
	trace.begin_group("b", 2);
	trace.add_run(1, 100, 250, "task");
	trace.add_instant(0, 260, "preempted");
	std::vector<std::string> events;  // track, type, time
	for (const auto& [field, packet] : fields_of(trace.bytes())) {
		const auto fields = fields_of(packet);
		if (!fields.contains(11))
			continue;
		const auto event = fields_of(fields.find(11)->second);
		events.push_back(event.find(11)->second + " " + event.find(9)->second + " " + fields.find(8)->second);
	}
	EXPECT_EQ(events, (std::vector<std::string>{"4 1 100", "4 2 250", "3 3 260"}));
	EXPECT_NE(trace.bytes().find("b CPU 1"), std::string::npos);
}

}  // namespace
}  // namespace punctual
