// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include <gtest/gtest.h>

#include "bench/schedule.h"

namespace punctual {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<uint64_t> schedule(Arrivals arrivals, uint64_t rate_per_s, Nanoseconds length, uint64_t seed = 1)
{
	return make_schedule({arrivals, rate_per_s, length, seed}).value();
}

TEST(Schedule, ConstantArrivalsNeverDriftFromTheRate)
{
	const std::vector<uint64_t> arrivals_ns = schedule(Arrivals::constant, 60'000, seconds(10));
	ASSERT_EQ(arrivals_ns.size(), 600'000u);
	// The gap is 16666.67 ns: added up as an integer it would be 24 ms off after ten seconds.
	for (size_t k = 0; k < arrivals_ns.size(); k += 6000)
		EXPECT_EQ(arrivals_ns[k] - arrivals_ns[0],
			  k / 60'000 * 1'000'000'000 + k % 60'000 * 1'000'000'000 / 60'000);
}

TEST(Schedule, ASeedGivesTheSameArrivalsEverywhereAndAnotherSeedOthers)
{
	for (const Arrivals arrivals : {Arrivals::constant, Arrivals::poisson}) {
		EXPECT_EQ(schedule(arrivals, 1000, seconds(1), 7), schedule(arrivals, 1000, seconds(1), 7));
		EXPECT_NE(schedule(arrivals, 1000, seconds(1), 7), schedule(arrivals, 1000, seconds(1), 8));
	}
	// Known values, worked out apart from this code: results of different machines are compared, so the generator
	// may never change.
	const std::vector<uint64_t> known = schedule(Arrivals::poisson, 60'000, seconds(1), 1);
	EXPECT_EQ(known[0], 13'933u);
	EXPECT_EQ(known[1], 36'759u);
}

TEST(Schedule, PoissonArrivalsHaveTheRightRateAndSpread)
{
	const std::vector<uint64_t> arrivals_ns = schedule(Arrivals::poisson, 60'000, seconds(10), 3);
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

TEST(Schedule, ArrivalsAscendAndStayWithinTheLength)
{
	for (const Arrivals arrivals : {Arrivals::constant, Arrivals::poisson}) {
		const std::vector<uint64_t> arrivals_ns = schedule(arrivals, 1'000'000, milliseconds(100), 5);
		EXPECT_TRUE(std::ranges::is_sorted(arrivals_ns));
		EXPECT_LT(arrivals_ns.back(), 100'000'000u);
	}
}

TEST(Schedule, TooManyPacketsAreRefusedBeforeMemoryIsGone)
{
	const Result<std::vector<uint64_t>> schedule = make_schedule({Arrivals::constant, 1'000'000'000, hours(24), 1});
	ASSERT_FALSE(schedule);
	EXPECT_EQ(schedule.error().code, ExitCode::usage);
}

TEST(Schedule, ArrivalsAreReadByName)
{
	EXPECT_EQ(parse_arrivals("poisson").value(), Arrivals::poisson);
	EXPECT_EQ(parse_arrivals(arrivals_name(Arrivals::constant)).value(), Arrivals::constant);
	EXPECT_EQ(parse_arrivals("bursts").error().code, ExitCode::usage);
}

}  // namespace
}  // namespace punctual
