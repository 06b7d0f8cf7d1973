// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include <gtest/gtest.h>

#include "bench/schedule.h"

namespace punctual {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Arrivals kConstant{};
constexpr Arrivals kPoisson{Gaps::poisson};
constexpr Arrivals kBursts{Gaps::constant, 32};

std::vector<uint64_t> schedule(Arrivals arrivals, uint64_t rate_per_s, Nanoseconds length, uint64_t seed = 1)
{
	return make_schedule({arrivals, rate_per_s, length, seed}).value();
}

TEST(Schedule, ConstantArrivalsNeverDriftFromTheRate)
{
	const std::vector<uint64_t> arrivals_ns = schedule(kConstant, 60'000, seconds(10));
	ASSERT_EQ(arrivals_ns.size(), 600'000u);
	// The gap is 16666.67 ns: added up as an integer it would be 24 ms off after ten seconds.
	for (size_t k = 0; k < arrivals_ns.size(); k += 6000)
		EXPECT_EQ(arrivals_ns[k] - arrivals_ns[0],
			  k / 60'000 * 1'000'000'000 + k % 60'000 * 1'000'000'000 / 60'000);
}

TEST(Schedule, ASeedGivesTheSameArrivalsEverywhereAndAnotherSeedOthers)
{
	for (const Arrivals arrivals : {kConstant, kPoisson, kBursts}) {
		EXPECT_EQ(schedule(arrivals, 1000, seconds(1), 7), schedule(arrivals, 1000, seconds(1), 7));
		EXPECT_NE(schedule(arrivals, 1000, seconds(1), 7), schedule(arrivals, 1000, seconds(1), 8));
	}
	// Known values, worked out apart from this code: results of different machines are compared, so the generator
	// may never change.
	const std::vector<uint64_t> known = schedule(kPoisson, 60'000, seconds(1), 1);
	EXPECT_EQ(known[0], 13'933u);
	EXPECT_EQ(known[1], 36'759u);
}

TEST(Schedule, PoissonArrivalsHaveTheRightRateAndSpread)
{
	const std::vector<uint64_t> arrivals_ns = schedule(kPoisson, 60'000, seconds(10), 3);
	const auto count = static_cast<double>(arrivals_ns.size());
	EXPECT_NEAR(count, 600'000, 4 * 775);  // four standard deviations
	double sum = 0;
	double squares = 0;
	for (size_t k = 1; k < arrivals_ns.size(); k++) {
		const auto gap_ns = static_cast<double>(arrivals_ns[k] - arrivals_ns[k - 1]);
		sum += gap_ns;
		squares += gap_ns * gap_ns;
	}
	const double mean_ns = sum / count;
	const double variance = squares / count - mean_ns * mean_ns;
	// Exponential gaps: the standard deviation equals the mean.
	EXPECT_NEAR(variance / (mean_ns * mean_ns), 1.0, 0.02);
}

TEST(Schedule, PacketsOfABurstComeTogetherAndTheRateIsThatOfPackets)
{
	const std::vector<uint64_t> arrivals_ns = schedule(kBursts, 100'000, seconds(1), 2);
	EXPECT_NEAR(static_cast<double>(arrivals_ns.size()), 100'000, 32);
	EXPECT_LT(arrivals_ns[0], 320'000u);
	// 32 packets at 100,000 a second: a burst each 320 us.
	for (size_t k = 0; k < arrivals_ns.size(); k++)
		ASSERT_EQ(arrivals_ns[k] - arrivals_ns[0], k / 32 * 320'000) << k;
}

TEST(Schedule, ArrivalsAscendAndStayWithinTheLength)
{
	for (const Arrivals arrivals : {kConstant, kPoisson, kBursts}) {
		const std::vector<uint64_t> arrivals_ns = schedule(arrivals, 1'000'000, milliseconds(100), 5);
		EXPECT_TRUE(std::ranges::is_sorted(arrivals_ns));
		EXPECT_LT(arrivals_ns.back(), 100'000'000u);
	}
}

TEST(Schedule, TooManyPacketsAreRefusedBeforeMemoryIsGone)
{
	const Result<std::vector<uint64_t>> schedule = make_schedule({kConstant, 1'000'000'000, hours(24), 1});
	ASSERT_FALSE(schedule);
	EXPECT_EQ(schedule.error().code, ExitCode::usage);
}

TEST(Schedule, ArrivalsAreReadAsTheyAreWritten)
{
	for (const Arrivals arrivals : {kConstant, kPoisson, kBursts})
		EXPECT_EQ(parse_arrivals(arrivals_text(arrivals)).value(), arrivals);
	EXPECT_EQ(parse_arrivals("bursts").value(), kBursts);
	EXPECT_EQ(parse_arrivals("bursts:8").value().burst_packets, 8u);
}

TEST(Schedule, ArrivalsThatNobodyKnowsAreRefused)
{
	for (const char* text : {"", "burst", "bursts:", "bursts:1", "bursts:-1", "bursts:8x", "bursts:10000000"})
		EXPECT_EQ(parse_arrivals(text).error().code, ExitCode::usage) << text;
}

}  // namespace
}  // namespace punctual
