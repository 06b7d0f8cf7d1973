// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "bench/result.h"

namespace punctual {
namespace {

ArmResult busy_second()
{
	ArmResult arm;
	arm.window_ns = 1'000'000'000;
	arm.vnf_work_ns = 160'000'000;
	arm.background_work_ns = 600'000'000;
	arm.sleeps = 60'000;
	return arm;
}

TEST(BenchResult, ACycleCostsWhatNeitherWorkAccountsFor)
{
	EXPECT_EQ(busy_second().cycle_ns(), 4000u);
}

TEST(BenchResult, WithoutAMeasureOfTheBackgroundWorkTheCostOfACycleIsNotKnown)
{
	ArmResult arm = busy_second();
	arm.background_work_ns = 0;
	EXPECT_EQ(arm.cycle_ns(), 0u);
}

TEST(BenchResult, NorWhenThePacketFunctionNeverSlept)
{
	ArmResult arm = busy_second();
	arm.sleeps = 0;
	EXPECT_EQ(arm.cycle_ns(), 0u);
	arm.sleeps = 1;
	arm.vnf_work_ns = 500'000'000;  // a backlog that was served after the window
	EXPECT_EQ(arm.cycle_ns(), 0u);
}

}  // namespace
}  // namespace punctual
