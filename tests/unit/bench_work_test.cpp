// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "bench/work.h"

namespace punctual {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

// A machine on which an iteration takes 3 ns, and which is disturbed in most of the trials.
uint64_t disturbed(uint64_t iterations)
{
	static int trial = 0;
	return 3 * iterations + static_cast<uint64_t>(++trial % 7) * 100'000;
}

TEST(Work, DisturbancesDoNotChangeTheCalibration)
{
	const WorkLength length = calibrate_work(nanoseconds(3000), disturbed).value();
	EXPECT_EQ(length.iterations, 1000u);
	EXPECT_EQ(length.measured_ns, 3000u);
}

TEST(Work, MoreTimeMeansMoreIterations)
{
	uint64_t last = 0;
	for (const int us : {1, 2, 5, 10, 100, 1000}) {
		const uint64_t iterations = calibrate_work(microseconds(us), disturbed)->iterations;
		EXPECT_GT(iterations, last);
		last = iterations;
	}
}

TEST(Work, NoWorkTakesNoIterationsAndShortWorkTakesOne)
{
	EXPECT_EQ(calibrate_work(nanoseconds(0), disturbed)->iterations, 0u);
	EXPECT_EQ(calibrate_work(nanoseconds(1), disturbed)->iterations, 1u);
}

TEST(Work, AClockThatStandsStillIsAnError)
{
	EXPECT_EQ(calibrate_work(nanoseconds(10), [](uint64_t) { return uint64_t{0}; }).error().code,
		  ExitCode::invalid);
}

TEST(Work, EachIterationDependsOnTheOneBefore)
{
	// In two parts or at once: the same chain, so none of it can be skipped or done side by side.
	EXPECT_EQ(turn(1000, 1), turn(600, turn(400, 1)));
	EXPECT_NE(turn(1000, 1), turn(999, 1));
	EXPECT_EQ(turn(0, 42), 42u);
}

}  // namespace
}  // namespace punctual
