// SPDX-License-Identifier: GPL-2.0-only
#include "bench/rate_search.h"

#include <functional>

#include <gtest/gtest.h>

namespace punctual {
namespace {

const std::vector<double> kGoals(std::begin(kLossGoals), std::end(kLossGoals));

// Runs a search against a machine that loses a share of the packets by their rate. Returns how many trials it took.
size_t run(RateSearch& search, const std::function<double(double)>& lost_at)
{
	size_t trials = 0;
	while (const std::optional<uint64_t> rate = search.next()) {
		search.add(*rate, lost_at(static_cast<double>(*rate)));
		if (++trials > kSearchTrialsMax)
			break;
	}
	return trials;
}

double none_up_to_50k(double rate)
{
	return rate <= 50'000 ? 0 : (rate - 50'000) / 1e6;
}

TEST(RateSearch, BoundsAreAroundTheTrueRateAndNear)
{
	RateSearch search(200'000, kGoals);
	EXPECT_LE(run(search, none_up_to_50k), 30U);
	for (const auto& [goal, true_rate] : {std::pair{0.0, 50'000.0}, {1e-5, 50'010.0}, {0.005, 55'000.0}}) {
		const RateBounds bounds = search.bounds(goal);
		ASSERT_TRUE(bounds.passed && bounds.failed) << goal;
		EXPECT_LE(static_cast<double>(*bounds.passed), true_rate) << goal;
		EXPECT_GT(static_cast<double>(*bounds.failed), true_rate) << goal;
		EXPECT_LE(static_cast<double>(*bounds.failed) / static_cast<double>(*bounds.passed), 1.051) << goal;
	}
}

TEST(RateSearch, OneTrialTellsAllGoalsWhereNothingIsLost)
{
	RateSearch search(60'000, kGoals);
	EXPECT_EQ(run(search, [](double) { return 0; }), 1U);
	EXPECT_EQ(search.bounds(0).passed, 60'000U);
	EXPECT_FALSE(search.bounds(0).failed);
}

TEST(RateSearch, MachineThatAlwaysLosesHasNoRate)
{
	RateSearch search(60'000, kGoals);
	EXPECT_EQ(run(search, [](double) { return 0.5; }), 2U);
	EXPECT_FALSE(search.bounds(0.005).passed);
	EXPECT_EQ(search.bounds(0.005).failed, kSearchRateMin);
}

TEST(RateSearch, LowRateThatLosesIsHeldAgainstHigherOnes)
{
	RateSearch search(100'000, {0});
	search.add(100'000, 0.2);
	search.add(20'000, 0.1);
	search.add(40'000, 0);
	EXPECT_EQ(search.bounds(0).failed, 20'000U);
	EXPECT_FALSE(search.bounds(0).passed);
}

}  // namespace
}  // namespace punctual
