// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "export/cgroup_series.h"
#include "export/live.h"
#include "view/live_page.h"

namespace punctual {
namespace {

constexpr u64 kMinuteNs = 60'000'000'000;

// One wait of `wait_ns` in each of the cgroups.
WaitSnapshot interval_at(u64 at_ns, const std::map<std::string, u64>& wait_ns)
{
	WaitSnapshot interval;
	interval.at_ns = at_ns;
	u64 id = 1;
	for (const auto& [path, ns] : wait_ns) {
		interval.cgroups.push_back({.id = id++, .path = path, .removed = false, .waits = {}, .throttling = {}});
		interval.cgroups.back().waits.record(ns);
	}
	return interval;
}

std::map<std::string, u64> counts_of(const CgroupSeries& series)
{
	std::map<std::string, u64> counts;
	for (const CgroupWaits& row : series.rows())
		counts[row.path] = row.waits.count();
	return counts;
}

using Counts = std::map<std::string, u64>;

TEST(CgroupSeries, ThoseThatWaitMostHaveOneAndNoWaitIsDropped)
{
	CgroupSeries series(2);
	series.add(interval_at(kMinuteNs, {{"/a", 10}, {"/b", 3000}, {"/c", 200}}));
	EXPECT_EQ(counts_of(series), (Counts{{"/b", 1}, {"/c", 1}, {"(other)", 1}}));
}

TEST(CgroupSeries, LateHeavyOneTakesThePlaceOfTheLightestAfterAMinute)
{
	CgroupSeries series(2);
	for (u64 second = 0; second < 200; second++)
		series.add(interval_at(kMinuteNs + second * kMinuteNs / 60,
				       {{"/a", 5000}, {"/b", 7000}, {"/late", second < 10 ? 0 : 90000}}));
	const Counts counts = counts_of(series);
	EXPECT_TRUE(counts.contains("/late"));
	EXPECT_TRUE(counts.contains("/b"));
	EXPECT_FALSE(counts.contains("/a"));
}

TEST(CgroupSeries, NoCounterEverFallsWhileItIsThere)
{
	CgroupSeries series(3);
	Counts before;
	u64 nr_changes = 0;
	for (u64 second = 0; second < 3000; second++) {
		std::map<std::string, u64> waits;
		for (u64 cgroup = 0; cgroup < 8; cgroup++)  // each has a time in which it waits most
			waits["/" + std::to_string(cgroup)] = second / 300 == cgroup ? 10'000'000 : 1000 * cgroup;
		series.add(interval_at(second * kMinuteNs / 60, waits));
		const Counts now = counts_of(series);
		ASSERT_LE(now.size(), 4u);
		for (const auto& [path, count] : now)
			if (before.contains(path))
				ASSERT_GE(count, before.at(path)) << path << " at " << second;
			else
				nr_changes++;
		before = now;
	}
	EXPECT_GT(nr_changes, 6u);  // else this test says nothing
	EXPECT_LT(nr_changes, 60u);
}

TEST(CgroupSeries, ItsOwnOthersStayAmongTheOthers)
{
	CgroupSeries series(5);
	WaitSnapshot interval = interval_at(1, {{"/a", 100}});
	interval.cgroups.push_back({.id = 0, .path = "", .removed = false, .waits = {}, .throttling = {}});
	interval.cgroups.back().waits.record(5, 7);
	series.add(interval);
	EXPECT_EQ(counts_of(series), (Counts{{"/a", 1}, {"(other)", 7}}));
}

LiveFacts hostile_facts()
{
	LiveFacts facts{.version = "0.1.0", .host = "host", .at_ns = 5, .interval_ns = 7};
	facts.scheduler.ops = "evil\"} 1\nx{a=\"";
	facts.scheduler.classes = {{.cgroup = "a\nb", .budget_ns = 60000, .nr_waits = 5, .nr_missed = 1},
				   {.cgroup = "a_x0ab", .budget_ns = 60000, .nr_waits = 6, .nr_missed = 2},
				   {.cgroup = "\xff</script>", .budget_ns = 1000, .nr_waits = 1}};
	facts.waits = interval_at(9, {{"/x\\\"\n", 1000}});
	return facts;
}

bool has_line(const std::string& text, const std::string& line)
{
	return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(LiveMetrics, HostileNamesAreHarmlessAndNoSeriesIsThereTwice)
{
	const std::string text = live_metrics(hostile_facts());
	std::map<std::string, int> seen;
	std::istringstream lines(text);
	for (std::string line; std::getline(lines, line);) {
		EXPECT_TRUE(line.starts_with("# ") || line.starts_with("punctual_")) << line;
		if (!line.starts_with('#')) {
			EXPECT_EQ(++seen[line.substr(0, line.rfind(' '))], 1) << line;
		}
	}
	EXPECT_TRUE(has_line(text, "punctual_class_waits_total{cgroup=\"a_x0ab\"} 11"));
	EXPECT_TRUE(has_line(text, "punctual_class_missed_total{cgroup=\"a_x0ab\"} 3"));
	EXPECT_TRUE(has_line(text, "punctual_class_budget_seconds{cgroup=\"_xff</script>\"} 1e-06"));
	EXPECT_TRUE(has_line(text, "punctual_scheduler_enabled 1"));
}

TEST(LiveMetrics, WhatNobodyMeasuredIsAbsentAndNotZero)
{
	LiveFacts facts;
	const std::string text = live_metrics(facts);
	EXPECT_TRUE(has_line(text, "punctual_runq_counted 0"));
	EXPECT_TRUE(has_line(text, "punctual_scheduler_enabled 0"));
	for (const char* name : {"punctual_runq_latency", "punctual_bpf_run", "punctual_class", "punctual_samples_lost",
				 "punctual_scheduler_info", "starved"})
		EXPECT_EQ(text.find(name), std::string::npos) << name;
	facts.programs = {{"latency_enqueue", 1500}};
	EXPECT_TRUE(has_line(live_metrics(facts), "punctual_bpf_run_seconds_total{prog=\"latency_enqueue\"} 1.5e-06"));
}

TEST(LiveMetrics, WaitsAreCountedAndSummedByKind)
{
	LiveFacts facts;
	facts.waits.emplace();
	facts.waits->cpus.resize(2);
	facts.waits->cpus[0].kinds[0].record(1'000'000, 3);
	facts.waits->cpus[1].kinds[0].record(2'000'000);
	const std::string text = live_metrics(facts);
	EXPECT_TRUE(has_line(text, "punctual_runq_wait_seconds_total{kind=\"wakeup\"} 0.005"));
	EXPECT_TRUE(has_line(text, "punctual_runq_latency_seconds_count{kind=\"wakeup\"} 4"));
}

TEST(LivePoint, OctavesHoldEveryWaitOnce)
{
	WaitSnapshot interval;
	interval.cpus.resize(1);
	for (const u64 ns : {u64{5}, u64{1023}, u64{1024}, u64{2047}, u64{2048}, u64{60'000'000'000}})
		interval.cpus[0].kinds[0].record(ns);
	const LivePoint point = live_point(interval, 1, "x");
	EXPECT_EQ(point.octaves[0], 2u);
	EXPECT_EQ(point.octaves[1], 2u);
	EXPECT_EQ(point.octaves[2], 1u);
	EXPECT_EQ(point.octaves.back(), 1u);
	EXPECT_EQ(point.nr, 6u);
}

TEST(LiveJson, NamesAreDataWhateverTheirBytes)
{
	const std::string json = live_json(hostile_facts(), std::nullopt);
	EXPECT_TRUE(json.starts_with("{\"schema\":\"punctual.live\",\"version\":1,"));
	EXPECT_NE(json.find("\"a\\nb\""), std::string::npos);
	EXPECT_NE(json.find("\ufffd</script>"), std::string::npos);
	EXPECT_NE(json.find("\"latest\":null"), std::string::npos);
}

TEST(LiveJson, HistoryIsOldestFirstAndAddsUpItsLosses)
{
	const std::string json = history_json({{.at_ns = 1, .lost = 2}, {.at_ns = 2, .lost = 3}}, 9);
	EXPECT_TRUE(json.starts_with(
	    "{\"schema\":\"punctual.history\",\"version\":1,\"interval_ns\":9,\"lost\":5,\"points\":"));
	EXPECT_LT(json.find("\"at_ns\":1"), json.find("\"at_ns\":2"));
}

TEST(LivePage, RunsItsOwnScriptAndAsksItsOwnServerAlone)
{
	const std::string page = live_page("abc");
	const std::string policy = live_page_policy("abc");
	EXPECT_TRUE(policy.starts_with("default-src 'none'; "));
	EXPECT_EQ(policy.find("unsafe"), std::string::npos);
	EXPECT_NE(page.find("<script nonce=\"abc\">"), std::string::npos);
	EXPECT_NE(page.find("<style nonce=\"abc\">"), std::string::npos);
	EXPECT_EQ(page.find("innerHTML"), std::string::npos);
	EXPECT_EQ(page.find("https:"), std::string::npos);
}

}  // namespace
}  // namespace punctual
