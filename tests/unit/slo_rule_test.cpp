// SPDX-License-Identifier: GPL-2.0-only
#include "guard/slo_rule.h"

#include <gtest/gtest.h>

namespace punctual {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

SloRule rule_of(std::string_view text)
{
	Result<SloRule> rule = parse_slo_rule(text);
	EXPECT_TRUE(rule) << text << ": " << rule.error().what;
	return rule.value_or(SloRule{});
}

void expect_refused(std::string_view text, std::string_view position, std::string_view word)
{
	Result<SloRule> rule = parse_slo_rule(text);
	ASSERT_FALSE(rule) << text;
	EXPECT_EQ(rule.error().code, ExitCode::usage);
	EXPECT_NE(rule.error().what.find(position), std::string::npos) << rule.error().what;
	EXPECT_NE(rule.error().what.find(word), std::string::npos) << rule.error().what;
}

SloSample sample_at(int64_t second, uint64_t p99_ns)
{
	return {.at_ns = second * kSecondNs,
		.classes = {{.cgroup = "vnf.slice", .nr_waits = 1000, .p99_ns = p99_ns, .nr_missed = 20}},
		.normal_share = 0.08,
		.nr_starved = 1};
}

TEST(SloRule, EachMeasureIsRead)
{
	const SloRule p99 = rule_of("p99(vnf.slice) > 100us for 10s then fallback");
	EXPECT_EQ(p99.metric, SloMetric::p99);
	EXPECT_EQ(p99.cgroup, "vnf.slice");
	EXPECT_EQ(p99.limit, 100'000);
	EXPECT_EQ(p99.for_ns, 10 * kSecondNs);
	EXPECT_TRUE(p99.falls_back);
	EXPECT_EQ(rule_of("p99.9(a/b.slice)>1.5ms").limit, 1'500'000);
	const SloRule miss = rule_of("miss(vnf.slice) > 1% for 10s");
	EXPECT_EQ(miss.metric, SloMetric::miss);
	EXPECT_DOUBLE_EQ(miss.limit, 0.01);
	EXPECT_FALSE(miss.falls_back);
	EXPECT_DOUBLE_EQ(rule_of("normal < 10% for 1s then warn").limit, 0.1);
	EXPECT_EQ(rule_of("starved > 0 then fallback").limit, 0);
}

TEST(SloRule, MistakeIsNamedWithItsPosition)
{
	expect_refused("", "position 1", "measure");
	expect_refused("p98(a) > 1us", "position 1", "p99(CGROUP)");
	expect_refused("p99 > 1us", "position 1", "cgroup");
	expect_refused("p99() > 1us", "position 1", "cgroup");
	expect_refused("p99(a > 1us", "position 1", "cgroup");
	expect_refused("normal(a) < 1%", "position 1", "whole machine");
	expect_refused("p99(a) < 1us", "position 8", ">");
	expect_refused("normal > 1%", "position 8", "<");
	expect_refused("p99(a) > 100", "position 10", "time");
	expect_refused("miss(a) > 101%", "position 11", "100%");
	expect_refused("miss(a) > 1us", "position 11", "100%");
	expect_refused("starved > -1", "position 11", "whole number");
	expect_refused("p99(a) >", "position 9", "limit");
	expect_refused("p99(a) > 1us for", "position 17", "for");
	expect_refused("p99(a) > 1us for 0s", "position 18", "for");
	expect_refused("p99(a) > 1us for 25h", "position 18", "24h");
	expect_refused("p99(a) > 1us then", "position 18", "fallback");
	expect_refused("p99(a) > 1us then reboot", "position 19", "fallback");
	expect_refused("p99(a) > 1us and", "position 14", "does not belong");
}

TEST(SloWatch, IsBrokenOnlyAfterTheWholeTime)
{
	SloWatch watch({rule_of("p99(vnf.slice) > 100us for 3s then fallback")});
	for (int64_t second : {1, 2, 3})
		EXPECT_TRUE(watch.step(sample_at(second, 150'000)).empty()) << second;
	const auto changes = watch.step(sample_at(4, 150'000));
	ASSERT_EQ(changes.size(), 1U);
	EXPECT_TRUE(changes[0].is_broken);
	EXPECT_TRUE(changes[0].falls_back);
	EXPECT_NE(changes[0].words.find("150.0us"), std::string::npos) << changes[0].words;
	EXPECT_TRUE(watch.step(sample_at(5, 150'000)).empty());  // said once
}

TEST(SloWatch, OneGoodSampleBeginsTheTimeAnew)
{
	SloWatch watch({rule_of("p99(vnf.slice) > 100us for 3s")});
	for (int64_t second = 1; second < 40; second++)
		EXPECT_TRUE(watch.step(sample_at(second, second % 3 ? 150'000 : 50'000)).empty()) << second;
}

TEST(SloWatch, SilenceBreaksNoRule)
{
	SloWatch watch({rule_of("p99(vnf.slice) > 100us"), rule_of("normal < 10%"), rule_of("starved > 0")});
	SloSample silent{.at_ns = kSecondNs, .classes = {{.cgroup = "vnf.slice", .p99_ns = 150'000}}};
	EXPECT_TRUE(watch.step(silent).empty());
	EXPECT_TRUE(watch.step({.at_ns = 2 * kSecondNs}).empty());
}

TEST(SloWatch, EachMeasureIsCompared)
{
	SloWatch watch({rule_of("miss(vnf.slice) > 1%"), rule_of("miss(vnf.slice) > 2%"), rule_of("normal < 8.1%"),
			rule_of("normal < 7.9%"), rule_of("starved > 0"), rule_of("starved > 1"),
			rule_of("p50(vnf.slice) > 1us")});
	const auto changes = watch.step(sample_at(1, 0));
	ASSERT_EQ(changes.size(), 3U);
	EXPECT_NE(changes[0].words.find("> 1%"), std::string::npos);
	EXPECT_NE(changes[1].words.find("8.1%"), std::string::npos);
	EXPECT_NE(changes[2].words.find("> 0"), std::string::npos);
}

TEST(SloWatch, WarningThatComesAndGoesIsSaidOnce)
{
	SloWatch watch({rule_of("p99(vnf.slice) > 100us")});
	size_t said = 0;
	for (int64_t second = 1; second <= 100; second++)
		said += watch.step(sample_at(second, second % 2 ? 150'000 : 50'000)).size();
	EXPECT_EQ(said, 1U);
	for (int64_t second = 101; second <= 120; second++)
		said += watch.step(sample_at(second, 50'000)).size();
	EXPECT_EQ(said, 2U);  // kept again
}

}  // namespace
}  // namespace punctual
