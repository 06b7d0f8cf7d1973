// SPDX-License-Identifier: GPL-2.0-only
// The scheduling decisions, called as the kernel calls them.
#include <gtest/gtest.h>

#include <random>

#include "policy/latency.h"
#include "policy/reserve.h"
#include "policy/resume.h"
#include "policy/starvation.h"
#include "policy/vtime.h"

namespace {

constexpr latency_tunables kTunables = {.reserve_ns = 10'000,
					.turn_ns = 4'000'000,
					.slack_ns_min = 5'000,
					.kthread_budget_ns = 50'000,
					.hysteresis_ns = 10'000};

place_facts woken_with_budget(u64 budget_ns, running_kind running)
{
	place_facts facts = {};
	facts.now_ns = 1'000'000;
	facts.budget_ns = budget_ns;
	facts.running = running;
	facts.woken = true;
	return facts;
}

TEST(Latency, RunningTaskStaysUntilTheLastSafeMoment)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	place_decision decision = place_task(&facts, &kTunables);
	EXPECT_EQ(decision.place, PLACE_LATENCY);
	EXPECT_EQ(decision.deadline_ns, 1'060'000);
	EXPECT_EQ(decision.preempt_at_ns, 1'050'000);  // deadline less the reserve, not one ns earlier
}

TEST(Latency, WithoutSlackTheWakeupPreempts)
{
	place_facts facts = woken_with_budget(14'000, RUNNING_NORMAL);
	EXPECT_EQ(place_task(&facts, &kTunables).place, PLACE_LOCAL_PREEMPT);
	facts.budget_ns = 15'000;  // exactly the smallest useful slack
	EXPECT_EQ(place_task(&facts, &kTunables).place, PLACE_LATENCY);
}

TEST(Latency, IdleCpuIsUsedAtOnce)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NOTHING);
	EXPECT_EQ(place_task(&facts, &kTunables).place, PLACE_LOCAL);
}

TEST(Latency, PreemptedTaskKeepsItsDeadline)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	facts.woken = false;
	facts.deadline_ns = 1'030'000;
	EXPECT_EQ(place_task(&facts, &kTunables).deadline_ns, 1'030'000);
}

TEST(Latency, DeadlineThatHasPassedLeavesNoSlack)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	facts.woken = false;
	facts.deadline_ns = 990'000;  // a difference of unsigned numbers would be 584 years of slack
	EXPECT_EQ(place_task(&facts, &kTunables).place, PLACE_LOCAL_PREEMPT);
}

TEST(Latency, WakeupBeginsANewDeadlineAndANewTurn)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	facts.deadline_ns = 500'000;  // from before it slept
	facts.ran_ns = 3'000'000;
	place_decision decision = place_task(&facts, &kTunables);
	EXPECT_EQ(decision.deadline_ns, 1'060'000);
	EXPECT_TRUE(decision.begins_turn);
	facts.budget_ns = 0;
	facts.bound_kthread = true;
	EXPECT_TRUE(place_task(&facts, &kTunables).begins_turn);
}

TEST(Latency, TurnGoesOnWhereItWasPreemptedAndBeginsAnewWhenItWasUsedUp)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	facts.woken = false;
	facts.deadline_ns = 1'030'000;
	facts.ran_ns = 3'999'999;
	// Else a task that is preempted often enough would never have used up a turn.
	EXPECT_FALSE(place_task(&facts, &kTunables).begins_turn);
	facts.ran_ns = 4'000'000;
	EXPECT_TRUE(place_task(&facts, &kTunables).begins_turn);
}

TEST(Latency, TaskThatGotItsBudgetWhileItRanHasADeadlineToo)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	facts.woken = false;
	facts.deadline_ns = 0;
	EXPECT_EQ(place_task(&facts, &kTunables).deadline_ns, 1'060'000);
}

TEST(Latency, UsedUpTurnEndsTheOldDeadline)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	facts.woken = false;
	facts.deadline_ns = 500'000;
	facts.ran_ns = 4'000'000;
	// With its old deadline a spinner would come before every other budgeted task for ever.
	EXPECT_EQ(place_task(&facts, &kTunables).deadline_ns, 1'060'000);
}

TEST(Latency, KthreadThatLeftForAPacketDoesNotComeBackBeforeIt)
{
	place_facts facts = woken_with_budget(0, RUNNING_NORMAL);
	facts.woken = false;
	facts.bound_kthread = true;
	facts.deadline_ns = 990'000;  // of its last visit to the queue
	place_decision decision = place_task(&facts, &kTunables);
	EXPECT_EQ(decision.deadline_ns, facts.now_ns + kTunables.kthread_budget_ns);
	EXPECT_FALSE(decision.begins_turn);  // else short visits would add up to no turn at all
}

TEST(Latency, LongRunningKthreadIsANormalTask)
{
	place_facts facts = woken_with_budget(0, RUNNING_NORMAL);
	facts.woken = false;
	facts.bound_kthread = true;
	facts.ran_ns = 4'000'000;
	EXPECT_EQ(place_task(&facts, &kTunables).place, PLACE_NORMAL);
}

TEST(Latency, EarlierDeadlineWinsOnlyByMoreThanTheHysteresis)
{
	EXPECT_FALSE(may_preempt(RUNNING_BUDGETED, 100'000, 90'000, 10'000));
	EXPECT_TRUE(may_preempt(RUNNING_BUDGETED, 100'000, 89'999, 10'000));
	EXPECT_TRUE(may_preempt(RUNNING_NORMAL, 0, ~0ULL, 10'000));  // a normal task has no deadline to defend
}

TEST(Latency, CpuThatRunsNothingOfOursIsNotPreempted)
{
	// Idle, or with a task of a class above ours: it comes to us by itself, a kick would cost and win nothing.
	EXPECT_FALSE(may_preempt(RUNNING_NOTHING, 0, 0, 0));
}

TEST(Latency, QueuedBehindAnEarlierDeadlineIsLookedAtAgain)
{
	place_facts facts = woken_with_budget(5'000, RUNNING_BUDGETED);
	facts.running_deadline_ns = 1'001'000;
	place_decision decision = place_task(&facts, &kTunables);
	EXPECT_EQ(decision.place, PLACE_LATENCY);
	EXPECT_GT(decision.preempt_at_ns, facts.now_ns);  // never a timer in the past: it would fire for ever
}

TEST(Latency, BoundKthreadIsNeverBehindNormalTasksNorAheadOfAnArrivingPacket)
{
	place_facts facts = woken_with_budget(0, RUNNING_NORMAL);
	facts.bound_kthread = true;
	EXPECT_EQ(place_task(&facts, &kTunables).place, PLACE_LOCAL_PREEMPT);
	facts.running = RUNNING_BUDGETED;
	EXPECT_EQ(place_task(&facts, &kTunables).place, PLACE_LOCAL);
	facts.running = RUNNING_ARRIVING;
	EXPECT_EQ(place_task(&facts, &kTunables).place, PLACE_LOCAL_LAST);
	facts.running = RUNNING_NORMAL;
	facts.woken = false;  // it had to leave: back before the normal ones, by a deadline of its own
	EXPECT_EQ(place_task(&facts, &kTunables).deadline_ns, facts.now_ns + kTunables.kthread_budget_ns);
}

TEST(Latency, WithoutBudgetATaskIsNormal)
{
	place_facts facts = woken_with_budget(0, RUNNING_NORMAL);
	place_decision decision = place_task(&facts, &kTunables);
	EXPECT_EQ(decision.place, PLACE_NORMAL);
	EXPECT_EQ(decision.deadline_ns, 0);
}

// Any facts at all: a timer lies between now and the deadline (or the shortest delay), and a
// budgeted task is never placed among the normal ones.
TEST(Latency, EveryDecisionIsInTime)
{
	std::mt19937_64 random(1);
	for (int i = 0; i < 200'000; i++) {
		place_facts facts = {};
		facts.now_ns = random() >> 8;
		facts.budget_ns = 1'000 + random() % 1'000'000'000;
		facts.deadline_ns = random() % 2 ? 0 : facts.now_ns - 1'000'000 + random() % 2'000'000;
		facts.running = static_cast<running_kind>(random() % 4);
		facts.running_deadline_ns = facts.now_ns - 100'000 + random() % 200'000;
		facts.woken = random() % 2;
		place_decision decision = place_task(&facts, &kTunables);
		ASSERT_NE(decision.place, PLACE_NORMAL);
		if (decision.place != PLACE_LATENCY)
			continue;
		ASSERT_GE(decision.preempt_at_ns, facts.now_ns + kTunables.slack_ns_min);
		u64 latest_ns =
		    std::max(decision.deadline_ns - kTunables.reserve_ns, facts.now_ns + kTunables.slack_ns_min);
		ASSERT_LE(decision.preempt_at_ns, latest_ns);
	}
}

TEST(Latency, KeysTellTheClassAndKeepTheOrder)
{
	EXPECT_TRUE(is_deadline_key(deadline_key(1000)));
	EXPECT_FALSE(is_deadline_key(vtime_key(1001)));
	EXPECT_LE(deadline_key(1000), deadline_key(1002));
	EXPECT_TRUE(vtime_before(vtime_key(~0ULL), vtime_key(2)));  // across the wrap
}

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
	facts.latency_waits = true;
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

TEST(Starvation, NormalTasksGoFirstAfterTheirLongestWait)
{
	EXPECT_FALSE(normal_goes_first(20'000'000, 0, 20'000'000));
	EXPECT_TRUE(normal_goes_first(20'000'001, 0, 20'000'000));
	EXPECT_FALSE(normal_goes_first(5, 10, 20'000'000));  // another CPU's clock may be a little ahead
}

}  // namespace
