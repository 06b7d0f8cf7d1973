// SPDX-License-Identifier: GPL-2.0-only
// policy/weight.h: what groups sum up, and what follows for a task.
#include <gtest/gtest.h>

#include "policy/weight.h"

namespace {

constexpr u64 kMs = 1000 * 1000;
constexpr u64 kEpochNs = 100 * kMs;
constexpr u64 kNowNs = 50'000 * kMs;

active_sums sums_of(u64 weight, u64 busy_ns, u64 plain = 0, u64 epoch = 7)
{
	u64 busy = active_units(busy_ns);
	return {epoch, weight * busy, plain * busy, busy};
}

u64 added_ns(u64 open_ns, u64 active_ns)
{
	return busy_after(kNowNs - open_ns, kNowNs, active_ns, kEpochNs).added_ns;
}

// The effective weight of a task of 100 in a group of the root.
u32 weight_in_group(u32 group_weight, u64 active_in_group, u64 active_in_root, u64 plain)
{
	active_sums group = sums_of(active_in_group, kEpochNs);
	active_sums root = sums_of(active_in_root, kEpochNs, plain);
	u64 share = share_in_parent(100ULL << SHARE_SHIFT, 100, group_weight, &group);
	return effective_weight(share, group_weight, 100, &root) >> WEIGHT_SHIFT;
}

TEST(Weight, MembersDivideWhatTheirGroupWeighs)
{
	// Two groups of 100, with ten tasks and with one: eleven tasks of 100 weigh 1100 together, 550 a group.
	EXPECT_EQ(weight_in_group(100, 1000, 200, 1100), 55);
	EXPECT_EQ(weight_in_group(100, 100, 200, 1100), 550);
}

TEST(Weight, HeavierGroupHasMore)
{
	EXPECT_EQ(weight_in_group(300, 100, 400, 200), 3 * weight_in_group(100, 100, 400, 200));
}

TEST(Weight, OutsideOfGroupsATaskWeighsWhatItWeighs)
{
	for (u32 weight : {1, 7, 100, 10'000}) {
		active_sums root = sums_of(12'345, kEpochNs, 12'345);
		u64 share = static_cast<u64>(weight) << SHARE_SHIFT;
		EXPECT_EQ(effective_weight(share, weight, weight, &root), weight << WEIGHT_SHIFT);
	}
}

TEST(Weight, TaskOfWhichNothingIsKnownYetIsTakenForTheOnlyOne)
{
	active_sums nothing = {};
	u64 share = share_in_parent(200ULL << SHARE_SHIFT, 200, 50, &nothing);
	EXPECT_EQ(share, 50ULL << SHARE_SHIFT);
	EXPECT_EQ(effective_weight(share, 50, 200, &nothing), 200U << WEIGHT_SHIFT);
}

TEST(Weight, MemberNeverHasMoreThanItsGroup)
{
	active_sums light = sums_of(1, kEpochNs);  // the heavy one was asleep
	EXPECT_EQ(share_in_parent(10'000ULL << SHARE_SHIFT, 10'000, 100, &light), 100ULL << SHARE_SHIFT);
}

TEST(Weight, LeastAndLargestStayInTheirBounds)
{
	active_sums crowd = sums_of(1ULL << 40, kEpochNs, 1);
	active_sums few = sums_of(1, kEpochNs, 1ULL << 40);
	EXPECT_EQ(effective_weight(1, 1, 1, &crowd), 1);  // 0 would divide
	EXPECT_GT(effective_weight(10'000ULL << SHARE_SHIFT, 10'000, 1, &few), 10'000U << WEIGHT_SHIFT);
}

TEST(Weight, TimeOfOneGroupIsNotCountedTwice)
{
	EXPECT_EQ(added_ns(4 * kMs, 40 * kMs), 4 * kMs);  // another member has reported the rest
	EXPECT_EQ(added_ns(40 * kMs, 4 * kMs), 4 * kMs);
	EXPECT_EQ(busy_after(kNowNs, kNowNs - 5, 4 * kMs, kEpochNs).added_ns, 0);  // a clock that is behind
}

TEST(Weight, TimeThatNobodyReportedStaysOpenForAWhile)
{
	// A sleeper was active for 1 of 16 ms; who spun all the time reports later, and for the rest.
	busy_time busy = busy_after(kNowNs - 16 * kMs, kNowNs, 1 * kMs, kEpochNs);
	EXPECT_EQ(busy_after(busy.until_ns, kNowNs, 16 * kMs, kEpochNs).added_ns, 15 * kMs);
}

TEST(Weight, ButNotForEver)
{
	busy_time busy = busy_after(kNowNs - 1000 * kMs, kNowNs, 1 * kMs, kEpochNs);
	EXPECT_EQ(busy.until_ns, kNowNs - 2 * kEpochNs / REPORTS_PER_EPOCH);
}

TEST(Weight, SumsOfThisEpochAndTheOneBeforeCount)
{
	active_sums even = {8, 10, 20, 30};
	active_sums odd = {7, 1, 2, 3};
	EXPECT_EQ(recent_sums(&even, &odd, 8).weighed, 11);
	EXPECT_EQ(recent_sums(&even, &odd, 8).plain, 22);
	EXPECT_EQ(recent_sums(&even, &odd, 9).busy, 30);
	EXPECT_EQ(recent_sums(&even, &odd, 10).busy, 0);
}

TEST(Weight, TaskReportsAFewTimesInAnEpoch)
{
	EXPECT_FALSE(report_is_due(kNowNs, kNowNs - kEpochNs / REPORTS_PER_EPOCH + 1, kEpochNs));
	EXPECT_TRUE(report_is_due(kNowNs, kNowNs - kEpochNs / REPORTS_PER_EPOCH, kEpochNs));
}

TEST(Weight, OneReportIsAboutALimitedTime)
{
	EXPECT_EQ(active_to_report(kEpochNs, kEpochNs), kEpochNs);
	EXPECT_EQ(active_to_report(3'600'000 * kMs, kEpochNs), REPORT_EPOCHS_MAX * kEpochNs);
}

}  // namespace
