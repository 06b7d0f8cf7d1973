// SPDX-License-Identifier: GPL-2.0-only
// The scheduling decisions, called as the kernel calls them: what budgeted tasks are to each other.
#include <gtest/gtest.h>

#include "policy/vtime.h"
#include "tests/unit/latency_facts.h"

namespace {

TEST(Bursts, WhoUsedUpItsBurstComesBehindAllThatDidNot)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	facts.woken = false;
	facts.deadline_ns = 500'000;
	facts.ran_ns = 20'000;
	place_decision decision = place_task(&facts, &kTunables);
	EXPECT_EQ(decision.deadline_ns, 1'000'000 + ROUND_NS);
	// Else a spinner would come before every class with a longer budget.
	EXPECT_TRUE(is_renewed_key(decision.key));
}

TEST(Bursts, ClassThatWaitsLongMayWorkLong)
{
	place_facts facts = woken_with_budget(1'000'000, RUNNING_NORMAL);
	facts.woken = false;
	facts.ran_ns = 124'999;  // many bursts, but little of its budget
	EXPECT_FALSE(is_renewed_key(place_task(&facts, &kTunables).key));
	facts.ran_ns = 125'000;
	EXPECT_TRUE(is_renewed_key(place_task(&facts, &kTunables).key));
}

TEST(Bursts, TimerOfOneThatWasServedTakesNoCpuForALaterDeadline)
{
	EXPECT_GE(due_ns(1'000'000, false, &kTunables), 1'000'000 + kTunables.reserve_ns);
	EXPECT_LT(due_ns(1'000'000, false, &kTunables), 1'060'000);
}

u64 safe_for_both(u64 key, u64 other_key, u64 kept_until_ns = 0)
{
	return safe_for_both_ns(1'000'000, key, other_key, 10'000, 20'000, kept_until_ns);
}

TEST(Bursts, TwoThatWaitAreSafeOneBehindTheOther)
{
	EXPECT_EQ(safe_for_both(deadline_key(1'080'001), deadline_key(1'070'001)),
		  1'030'001);  // 50 us before the later
	EXPECT_EQ(safe_for_both(deadline_key(1'070'001), deadline_key(1'080'001)), 1'030'001);
	EXPECT_EQ(safe_for_both(deadline_key(1'040'001), deadline_key(1'030'001)), 1'000'000);  // it has passed
}

TEST(Bursts, TwoThatDoNotMeetOrGainNothingChangeNothing)
{
	EXPECT_EQ(safe_for_both(deadline_key(1'030'001), deadline_key(1'090'001)), ~0ULL);  // the first is gone by then
	EXPECT_EQ(safe_for_both(deadline_key(1'009'001), deadline_key(1'010'001)), ~0ULL);  // the CPU is taken as it is
	EXPECT_EQ(safe_for_both(deadline_key(1'080'001), renewed_key(1'070'001)), ~0ULL);
	EXPECT_EQ(safe_for_both(renewed_key(1'080'001), deadline_key(1'070'001)), ~0ULL);
}

TEST(Bursts, TwoThatWaitLeaveTheFloorAlone)
{
	EXPECT_EQ(safe_for_both(deadline_key(1'080'001), deadline_key(1'070'001), 1'050'000), 1'050'000);
}

TEST(Bursts, TimerForTwoTakesTheCpuBeforeTheMomentOfTheFirst)
{
	u64 first_ns = 1'070'001;
	u64 at_ns = safe_for_both(deadline_key(1'080'001), deadline_key(first_ns));
	EXPECT_GE(due_ns(at_ns, true, &kTunables), first_ns);
	EXPECT_LT(due_ns(at_ns, false, &kTunables), first_ns);
}

TEST(Bursts, BurstIsOnlyEndedForOneThatWouldBeLateBehindIt)
{
	running_facts busy = running(RUNNING_BUDGETED, 1'100'000);  // its burst ends at 1'020'000
	EXPECT_TRUE(may_preempt(&busy, 1'000'000, 1'029'999, &kTunables));
	EXPECT_FALSE(may_preempt(&busy, 1'000'000, 1'030'001, &kTunables));  // early enough when it is over
	busy.budget_ns = 20'000;
	busy.deadline_ns = 1'010'000;
	EXPECT_FALSE(may_preempt(&busy, 1'000'000, 1'020'000, &kTunables));  // nor for one that gains nothing
}

TEST(Bursts, RenewedDeadlineEndsNobodysBurst)
{
	running_facts busy = running(RUNNING_BUDGETED, 1'900'000);
	EXPECT_FALSE(may_preempt(&busy, 1'019'999, renewed_key(1'001'000), &kTunables));
	EXPECT_TRUE(may_preempt(&busy, 1'019'999, deadline_key(1'001'000), &kTunables));
	EXPECT_TRUE(may_preempt(&busy, 1'020'000, renewed_key(1'001'000), &kTunables));
}

TEST(Bursts, KernelThreadEndsNobodysBurst)
{
	running_facts busy = running(RUNNING_BUDGETED, 1'010'000);
	EXPECT_FALSE(may_preempt(&busy, 1'019'999, vtime_key(1'001'000), &kTunables));
	EXPECT_TRUE(may_preempt(&busy, 1'019'999, deadline_key(1'001'000), &kTunables));
}

TEST(Bursts, RunningTaskWhosePromiseWasKeptStandsLikeOneThatBecomesRunnableNow)
{
	running_facts spinner = running(RUNNING_BUDGETED, 1'010'000);  // the earliest of all, when it got the CPU
	u64 waiting_ns = 1'060'000;
	EXPECT_FALSE(may_preempt(&spinner, 1'019'999, waiting_ns, &kTunables));
	EXPECT_TRUE(may_preempt(&spinner, 1'020'000, waiting_ns, &kTunables));  // against 1'080'000
	// Else a class that never sleeps would make every other one late.
	EXPECT_TRUE(may_preempt(&spinner, 1'000'000, 1'015'001, &kTunables));  // in its burst, too: it would be late
}

TEST(Bursts, OneThatWokeUpDoesNotWaitForOneThatHadItsBurst)
{
	running_facts runaway = running(RUNNING_BUDGETED, 0);
	runaway.kept_until_ns = 0;
	u64 soon_ns = 1'000'000 + kTunables.slack_ns_min;
	EXPECT_EQ(look_again_ns(1'000'000, deadline_key(900'000), &runaway, &kTunables), soon_ns);
	EXPECT_GT(look_again_ns(1'000'000, renewed_key(900'000), &runaway, &kTunables), soon_ns);
	EXPECT_FALSE(is_renewed_key(vtime_key(900'002)));  // of a kernel thread
	runaway.budget_ns = 5'000;                         // it is no later itself: soon again
	EXPECT_EQ(look_again_ns(1'000'000, deadline_key(1'004'000), &runaway, &kTunables), soon_ns);
}

TEST(Bursts, LongBurstIsNotWaitedForByOneThatWouldBeLateBehindIt)
{
	running_facts busy = running(RUNNING_BUDGETED, 2'000'000);  // it came when the other was already late
	busy.kept_until_ns = 1'125'000;
	const u64 soon_ns = 1'000'000 + kTunables.slack_ns_min;
	EXPECT_EQ(look_again_ns(1'000'000, deadline_key(1'012'000), &busy, &kTunables), soon_ns);
	EXPECT_EQ(look_again_ns(1'000'000, renewed_key(1'012'000), &busy, &kTunables), 1'125'000);
}

TEST(Bursts, BurstIsNotWaitedForWhereAnotherCpuMayBeTaken)
{
	running_facts busy = running(RUNNING_BUDGETED, 1'010'000);
	busy.deadline_ns = 1'000'000;
	busy.budget_ns = 1'000;
	EXPECT_EQ(look_again_ns(1'000'000, deadline_key(1'012'001), &busy, &kTunables), busy.kept_until_ns);
	busy.nr_other_cpus = 1;
	EXPECT_EQ(look_again_ns(1'000'000, deadline_key(1'012'001), &busy, &kTunables), 1'005'000);
}

TEST(Bursts, PacketsGatherUntilTheLastSafeMomentIsNear)
{
	EXPECT_TRUE(may_gather(1'000'000, deadline_key(1'016'001), false, &kTunables));
	EXPECT_FALSE(may_gather(1'000'000, deadline_key(1'014'998), false, &kTunables));
	EXPECT_FALSE(may_gather(1'000'000, deadline_key(1'054'998), true, &kTunables));  // the second would be late
	EXPECT_FALSE(
	    may_gather(1'040'000, deadline_key(1'050'001), false, &kTunables));  // the floor would keep the CPU
}

TEST(Bursts, WhoIsInTheMiddleOfItsWorkGathersNothing)
{
	EXPECT_FALSE(may_gather(1'000'000, renewed_key(1'900'001), false, &kTunables));
	EXPECT_FALSE(may_gather(1'000'000, vtime_key(1'900'000), false, &kTunables));  // nor does a kernel thread
}

TEST(Bursts, BudgetedTaskLeavesAtItsStartForAClaimThatCameMeanwhile)
{
	running_facts starts = running(RUNNING_BUDGETED, 1'100'000);
	const u64 now_ns = 1'000'000;
	EXPECT_EQ(look_at_start_ns(now_ns, deadline_key(1'010'000), &starts, &kTunables), now_ns);
	EXPECT_GT(look_at_start_ns(now_ns, deadline_key(1'016'000), &starts, &kTunables), now_ns);  // it has time
	starts.kept_until_ns = 0;
	EXPECT_GT(look_at_start_ns(now_ns, renewed_key(900'000), &starts, &kTunables), now_ns);
	starts.budget_ns = 5'000;
	starts.deadline_ns = 0;
	EXPECT_GT(look_at_start_ns(now_ns, deadline_key(1'010'000), &starts, &kTunables), now_ns);  // itself no later
}

TEST(Bursts, WhoWasInterruptedGathersNothing)
{
	EXPECT_FALSE(may_gather(1'000'000, interrupted_key(1'900'000), false, &kTunables));
	place_facts facts = woken_with_budget(1'000'000, RUNNING_BUDGETED);
	facts.running.deadline_ns = facts.now_ns;
	EXPECT_FALSE(is_interrupted_key(place_task(&facts, &kTunables).key));
	facts.woken = false;
	facts.ran_ns = 1;
	const u64 key = place_task(&facts, &kTunables).key;
	EXPECT_TRUE(is_interrupted_key(key));
	EXPECT_TRUE(is_claim_of_a_class(key));
}

TEST(Bursts, WhoIsNearlyDoneGoesOnAndARunawayDoesNot)
{
	EXPECT_TRUE(may_go_on(1'000'000, 20'000, deadline_key(1'060'000)));
	EXPECT_FALSE(may_go_on(1'000'000, 61'000, deadline_key(1'060'000)));
}

TEST(Bursts, WhoLostTheCpuWaitsForATurnAtMost)
{
	place_facts facts = woken_with_budget(200'000'000, RUNNING_NORMAL);
	EXPECT_EQ(place_task(&facts, &kTunables).deadline_ns, 201'000'000);
	facts.woken = false;
	facts.ran_ns = 4'000'000;
	EXPECT_EQ(place_task(&facts, &kTunables).deadline_ns, 5'000'000);
	facts.ran_ns = 100'000'000;  // and when it used up its burst, for a round
	EXPECT_EQ(place_task(&facts, &kTunables).deadline_ns, 1'000'000 + ROUND_NS);
}

TEST(Bursts, BurstIsCpuTimeSinceTheWakeup)
{
	EXPECT_EQ(burst_until_ns(1'000'000, 0, 20'000), 1'020'000);
	EXPECT_EQ(burst_until_ns(1'000'000, 15'000, 20'000), 1'005'000);
	EXPECT_EQ(burst_until_ns(1'000'000, 20'000, 20'000), 0);  // however often it has been preempted since
	EXPECT_EQ(class_burst_ns(60'000, 20'000), 20'000);
	EXPECT_EQ(class_burst_ns(1'000'000, 20'000), 125'000);  // who waits long may work long
}

TEST(Bursts, FloorIsPaidByThoseThatHadTheirBursts)
{
	running_facts normal = running(RUNNING_NORMAL, 0);
	normal.kept_until_ns = 0;
	normal.turn_until_ns = 1'200'000;
	EXPECT_TRUE(
	    may_preempt(&normal, 1'000'000, deadline_key(1'001'000), &kTunables));  // one that wakes up does not pay
	EXPECT_FALSE(may_preempt(&normal, 1'199'999, renewed_key(1'001'000), &kTunables));
	EXPECT_TRUE(key_counts(&normal, 1'199'999));
	EXPECT_FALSE(key_counts(&normal, 1'200'000));
	EXPECT_EQ(may_run_until_ns(1'000'000, renewed_key(1'001'000), &normal, &kTunables), 1'200'000);
	EXPECT_EQ(look_again_ns(1'000'000, renewed_key(1'001'000), &normal, &kTunables), 1'200'000);
}

TEST(Bursts, ThoseThatHadTheirBurstsTakeTurnsWhateverTheirBudgets)
{
	running_facts runaway = running(RUNNING_BUDGETED, 0);
	runaway.kept_until_ns = 0;
	runaway.turn_until_ns = 1'000'000 + ROUND_NS;
	runaway.budget_ns = 1'000'000;
	EXPECT_FALSE(may_preempt(&runaway, 1'000'000, renewed_key(900'000), &kTunables));
	EXPECT_TRUE(may_preempt(&runaway, 1'000'000 + ROUND_NS, renewed_key(900'000), &kTunables));
	EXPECT_TRUE(may_preempt(&runaway, 1'000'000, deadline_key(900'000), &kTunables));
}

TEST(Bursts, WhoWokeUpComesBeforeWhoHadItsBurst)
{
	u64 year_ns = 365ULL * 24 * 3600 * 1'000'000'000;
	EXPECT_TRUE(vtime_before(deadline_key(70 * year_ns), renewed_key(1'000)));  // as the kernel compares keys
	EXPECT_TRUE(vtime_before(deadline_key(1'000), renewed_key(70 * year_ns)));
}

}  // namespace
