// SPDX-License-Identifier: GPL-2.0-only
// The scheduling decisions, called as the kernel calls them: virtual times, turns and the reserve.
#include <gtest/gtest.h>

#include <random>

#include "policy/reserve.h"
#include "policy/resume.h"
#include "policy/vtime.h"

namespace {

TEST(Vtime, HalfTheWeightIsChargedTwice)
{
	EXPECT_EQ(vtime_charge(1'000, WEIGHT_DEFAULT), 1'000);
	EXPECT_EQ(vtime_charge(1'000, WEIGHT_DEFAULT / 2), 2'000);
}

TEST(Vtime, WeightOfZeroIsChargedAsOne)
{
	EXPECT_EQ(vtime_charge(1'000, 0), 1'000 * WEIGHT_DEFAULT);  // and does not divide by it
}

TEST(Vtime, EqualTimesAreNotBeforeEachOther)
{
	EXPECT_FALSE(vtime_before(7, 7));  // else two queues with equal heads would both be the earlier one
}

TEST(Vtime, OrderHoldsAcrossTheWrap)
{
	EXPECT_TRUE(vtime_before(~0ULL, 2));
	EXPECT_FALSE(vtime_before(2, ~0ULL));
}

TEST(Vtime, SleeperCannotBankMoreThanItsCredit)
{
	vtime_limits limits = {.credit_ns_max = 4'000, .debt_ns_max = 400'000};
	EXPECT_EQ(vtime_on_join(0, 1'000'000, &limits), 996'000);
	EXPECT_EQ(vtime_on_join(998'000, 1'000'000, &limits), 998'000);
}

TEST(Vtime, OneThatRanAloneDoesNotWaitForAllOthersToCatchUp)
{
	vtime_limits limits = {.credit_ns_max = 4'000, .debt_ns_max = 400'000};
	EXPECT_EQ(vtime_on_join(9'000'000, 1'000'000, &limits), 1'400'000);
}

TEST(Vtime, LimitsHoldAcrossTheWrapOfTheClock)
{
	vtime_limits limits = {.credit_ns_max = 4'000, .debt_ns_max = 400'000};
	u64 clock = 1'000;  // wrapped a moment ago
	EXPECT_EQ(vtime_on_join(clock - 10'000, clock, &limits), clock - 4'000);
	EXPECT_EQ(vtime_on_join(clock - 2'000, clock, &limits), clock - 2'000);
}

TEST(Resume, PreemptedTaskFinishesItsTurnWhereItIs)
{
	resume_facts facts = {};
	facts.turn_ran_ns = 1'000'000;
	facts.turn_ns = 4'000'000;
	facts.turn_ns_min = 100'000;
	facts.in_turn = facts.pinned = true;
	EXPECT_EQ(resume_ns(&facts), 3'000'000);
	facts.others_first = true;
	EXPECT_EQ(resume_ns(&facts), 0);  // the kernel would run it before asking us for the waiting one
}

TEST(Resume, FinishedTurnAndMovableTaskQueueWithTheOthers)
{
	resume_facts facts = {};
	facts.turn_ran_ns = 3'950'000;
	facts.turn_ns = 4'000'000;
	facts.turn_ns_min = 100'000;
	facts.in_turn = facts.pinned = true;
	EXPECT_EQ(resume_ns(&facts), 0);
	facts.turn_ran_ns = 0;
	facts.pinned = false;
	EXPECT_EQ(resume_ns(&facts), 0);  // an idle CPU may take it sooner
}

TEST(Resume, TaskWhoseTurnIsOverQueuesWithTheOthers)
{
	resume_facts facts = {};
	facts.turn_ran_ns = 1'000'000;
	facts.turn_ns = 4'000'000;
	facts.turn_ns_min = 100'000;
	facts.pinned = true;  // alone is not enough: another one's turn began here meanwhile
	EXPECT_EQ(resume_ns(&facts), 0);
}

TEST(Resume, ShortestRestThatIsWorthItIsRun)
{
	resume_facts facts = {};
	facts.turn_ran_ns = 3'900'000;
	facts.turn_ns = 4'000'000;
	facts.turn_ns_min = 100'000;
	facts.in_turn = facts.pinned = true;
	EXPECT_EQ(resume_ns(&facts), 100'000);
	facts.turn_ran_ns++;
	EXPECT_EQ(resume_ns(&facts), 0);
}

// Lateness uniform in [1 us, 10 us] with one in 500 at 35 us, as telemetry in the kernel causes.
TEST(Reserve, SettlesWhereOneArrivalInAHundredIsLater)
{
	std::mt19937_64 random(7);
	u64 reserve_ns = 200'000;
	u64 late = 0;
	for (int i = 0; i < 100'000; i++) {
		u64 late_ns = random() % 500 == 0 ? 35'000 : 1'000 + random() % 9'000;
		if (i >= 50'000)
			late += late_ns > reserve_ns;
		reserve_ns = reserve_after(reserve_ns, late_ns, 200'000);
	}
	EXPECT_GT(late, 50);    // 0.1 %: not the maximum, which would give the slack away
	EXPECT_LT(late, 1500);  // 3 %
}

TEST(Reserve, OneStormDoesNotGiveTheSlackAway)
{
	EXPECT_LE(reserve_after(8'000, 5'000'000, 200'000), 9'000);
}

TEST(Reserve, FadesWhenItHasEatenTheSlackAndNothingIsMeasured)
{
	u64 reserve_ns = 200'000;
	for (int i = 0; i < 60'000; i++)  // a second of packets
		reserve_ns = reserve_unmeasured(reserve_ns, 8'000);
	EXPECT_LT(reserve_ns, 20'000);
	EXPECT_EQ(reserve_unmeasured(8'000, 8'000), 8'000);
}

TEST(Reserve, FadesNoFurtherThanWhereItBegan)
{
	EXPECT_EQ(reserve_unmeasured(100'000, 200'000), 100'000);  // what was measured below stays
}

TEST(Reserve, NeverExceedsItsBound)
{
	EXPECT_EQ(reserve_after(190'000, ~0ULL >> 1, 200'000), 200'000);
}

}  // namespace
