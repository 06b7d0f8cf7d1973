// SPDX-License-Identifier: GPL-2.0-only
#include "bench/rollout_rule.h"

#include <gtest/gtest.h>

#include "bench/rollout_plan.h"

namespace punctual {
namespace {

std::string error_of(std::string_view rule)
{
	const Result<KeepRule> parsed = parse_keep_rule(rule);
	return parsed ? "" : parsed.error().what;
}

// Pairs with a p99 and background work that differ a little from pair to pair.
std::vector<RolloutPair> pairs_of(size_t nr, double p99_ratio, double background_ratio)
{
	std::vector<RolloutPair> pairs(nr);
	for (size_t at = 0; at < nr; at++) {
		const double drift = 1 + 0.01 * static_cast<double>(at % 3);
		RolloutRun& eevdf = pairs[at].eevdf;
		eevdf = {
		    .p99_ns = 1'000'000, .nr = 1000, .offered = 1000, .background = 1'000'000, .window_ns = 1'000'000};
		pairs[at].scheduler = eevdf;
		pairs[at].scheduler.p99_ns = static_cast<uint64_t>(1'000'000 * p99_ratio * drift);
		pairs[at].scheduler.background = static_cast<uint64_t>(1'000'000 * background_ratio * drift);
	}
	return pairs;
}

RuleVerdict verdict(std::string_view rule, const std::vector<RolloutPair>& pairs)
{
	return verdict_of(judge_rule(*parse_keep_rule(rule), pairs));
}

TEST(KeepRule, IsReadWithAndWithoutBlanks)
{
	const Result<KeepRule> rule =
	    parse_keep_rule("p99<=0.5x and background >= 0.95x and p99.9 <= 60us and drop<=0.1%");
	ASSERT_TRUE(rule) << rule.error().what;
	ASSERT_EQ(rule->size(), 4);
	EXPECT_EQ((*rule)[0].metric, RolloutMetric::p99);
	EXPECT_TRUE((*rule)[0].at_most && (*rule)[0].is_ratio);
	EXPECT_EQ((*rule)[0].limit, 0.5);
	EXPECT_FALSE((*rule)[1].at_most);
	EXPECT_EQ((*rule)[2].text, "p99.9 <= 60us");
	EXPECT_EQ((*rule)[2].limit, 60'000);
	EXPECT_DOUBLE_EQ((*rule)[3].limit, 0.001);
}

TEST(KeepRule, ErrorsNameThePositionAndTheChoices)
{
	EXPECT_EQ(error_of("p98 <= 1x"),
		  "--keep-if, position 1: 'p98' is no measure (choose from p50, p99, p99.9, max, background or drop)");
	EXPECT_EQ(error_of("p99 < 1x"), "--keep-if, position 5: '<' is no comparison (choose from <= and >=)");
	EXPECT_EQ(error_of("p99 <= 0.5x or drop <= 1%"),
		  "--keep-if, position 13: 'or' is not \"and\", which joins conditions");
	EXPECT_EQ(error_of("p99 <="),
		  "--keep-if: the rule ends at position 7: a limit is missing (such as 0.5x, 60us, or of drop 0.1%)");
	EXPECT_EQ(
	    error_of(""),
	    "--keep-if: the rule ends at position 1: a measure is missing (p50, p99, p99.9, max, background or drop)");
	for (const char* wrong :
	     {"p99 <= 5", "p99 <= 0x", "p99 <= -1x", "p99 <= nanx", "background >= 5us", "drop <= 1x", "drop <= 101%",
	      "p99 <= 0us", "p99 <= 1x and", "p99 <= 2000x", "p99 <= 1e999x", "<= 1x"})
		EXPECT_NE(error_of(wrong), "") << wrong;
}

TEST(KeepRule, HoldsFailsOrIsUnclearByTheWholeInterval)
{
	constexpr std::string_view kRule = "p99 <= 0.5x and background >= 0.95x";
	EXPECT_EQ(verdict(kRule, pairs_of(8, 0.3, 1)), RuleVerdict::holds);
	EXPECT_EQ(verdict(kRule, pairs_of(8, 0.7, 1)), RuleVerdict::fails);
	EXPECT_EQ(verdict(kRule, pairs_of(8, 0.3, 0.8)), RuleVerdict::fails);
	// Better than EEVDF by half, but whether by more than half these pairs cannot tell.
	EXPECT_EQ(verdict(kRule, pairs_of(8, 0.4955, 1)), RuleVerdict::unclear);
}

TEST(KeepRule, TooFewPairsNeverHold)
{
	EXPECT_EQ(verdict("p99 <= 0.5x", pairs_of(5, 0.1, 1)), RuleVerdict::unclear);
	EXPECT_EQ(verdict("p99 <= 0.5x", pairs_of(5, 10, 1)), RuleVerdict::unclear);
	EXPECT_EQ(verdict("p99 <= 0.5x", pairs_of(6, 0.1, 1)), RuleVerdict::holds);
	EXPECT_EQ(verdict("drop <= 1%", pairs_of(5, 1, 1)), RuleVerdict::unclear);
	EXPECT_EQ(verdict("p99 <= 0.5x", {}), RuleVerdict::unclear);
}

TEST(KeepRule, TimesAreComparedWithTheLimitAndNotWithEevdf)
{
	EXPECT_EQ(verdict("p99 <= 400us", pairs_of(8, 0.3, 1)), RuleVerdict::holds);
	EXPECT_EQ(verdict("p99 <= 200us", pairs_of(8, 0.3, 1)), RuleVerdict::fails);
}

TEST(KeepRule, WhoDropsMoreThanEevdfHasNotShownThatItIsFaster)
{
	std::vector<RolloutPair> pairs = pairs_of(8, 0.1, 1);
	for (RolloutPair& pair : pairs)
		pair.scheduler.dropped = 500;
	// The quantiles are of the packets that were served: dropping the late ones makes them good.
	EXPECT_EQ(verdict("p99 <= 0.5x", pairs), RuleVerdict::unclear);
	EXPECT_EQ(verdict("p99 <= 0.5x and drop <= 60%", pairs), RuleVerdict::holds);
	EXPECT_EQ(verdict("p99 <= 0.5x and drop <= 1%", pairs), RuleVerdict::fails);
}

TEST(KeepRule, ARunThatCountedNothingGivesNoVerdict)
{
	std::vector<RolloutPair> pairs = pairs_of(8, 0.1, 1);
	pairs[3].scheduler.p99_ns = 0;
	EXPECT_EQ(verdict("p99 <= 0.5x", pairs), RuleVerdict::unclear);
}

TEST(RolloutSteps, AreHalvesAllAndLists)
{
	const CpuList cpus = *CpuList::parse("0-4,8");
	const Result<std::vector<CpuList>> steps = parse_steps("quarter,half,1-2+8,all", cpus);
	ASSERT_TRUE(steps) << steps.error().what;
	EXPECT_EQ((*steps)[0].text(), "0-1");
	EXPECT_EQ((*steps)[1].text(), "0-2");
	EXPECT_EQ((*steps)[2].text(), "1-2,8");
	EXPECT_EQ((*steps)[3].text(), "0-4,8");
	EXPECT_EQ(parse_steps("half,5", cpus).error().what, "--steps: cpu 5 of step '5' is not among --cpus 0-4,8");
	EXPECT_EQ(parse_steps("third", cpus).error().what,
		  "--steps: 'third' is no step (quarter, half, all, or CPUs such as 0-3 or 0-3+8)");
	EXPECT_FALSE(parse_steps("half,", cpus));
}

}  // namespace
}  // namespace punctual
