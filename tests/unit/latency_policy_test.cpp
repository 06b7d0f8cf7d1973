// SPDX-License-Identifier: GPL-2.0-only
// The scheduling decisions, called as the kernel calls them: budgets and deadlines.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "policy/latency.h"
#include "policy/vtime.h"

namespace {

constexpr latency_tunables kTunables = {.reserve_ns = 10'000,
					.burst_ns = 20'000,
					.turn_ns = 4'000'000,
					.slack_ns_min = 5'000,
					.kthread_budget_ns = 50'000,
					.hysteresis_ns = 10'000};

place_facts woken_with_budget(u64 budget_ns, running_kind running)
{
	place_facts facts = {};
	facts.now_ns = 1'000'000;
	facts.budget_ns = budget_ns;
	facts.running.kind = running;
	facts.woken = true;
	return facts;
}

TEST(Latency, RunningTaskStaysUntilTheLastSafeMoment)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	place_decision decision = place_task(&facts, &kTunables);
	EXPECT_EQ(decision.place, PLACE_LATENCY);
	EXPECT_EQ(decision.deadline_ns, 1'060'000);
	EXPECT_EQ(decision.preempt_at_ns, 1'050'001);  // deadline less the reserve; of the key, which is odd
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

TEST(Latency, OneThatLostItsCpuBeforeItRanKeepsItsDeadline)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	facts.woken = false;
	facts.deadline_ns = 1'030'000;
	EXPECT_EQ(place_task(&facts, &kTunables).deadline_ns, 1'030'000);
}

TEST(Latency, OneThatRanGetsANewDeadline)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	facts.woken = false;
	facts.deadline_ns = 1'030'000;
	facts.ran_ns = 1'000;  // what it was promised was kept; the other one could not have waited
	place_decision decision = place_task(&facts, &kTunables);
	EXPECT_EQ(decision.deadline_ns, 1'060'000);
	EXPECT_FALSE(is_renewed_key(decision.key));
}

TEST(Latency, DeadlineThatHasPassedLeavesNoSlack)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	facts.woken = false;
	facts.deadline_ns = 990'000;  // a difference of unsigned numbers would be 584 years of slack
	EXPECT_EQ(place_task(&facts, &kTunables).place, PLACE_LOCAL_PREEMPT);
}

TEST(Latency, WakeupBeginsANewDeadline)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	facts.deadline_ns = 500'000;  // from before it slept
	EXPECT_EQ(place_task(&facts, &kTunables).deadline_ns, 1'060'000);
}

TEST(Latency, TaskThatGotItsBudgetWhileItRanHasADeadlineToo)
{
	place_facts facts = woken_with_budget(60'000, RUNNING_NORMAL);
	facts.woken = false;
	facts.deadline_ns = 0;
	EXPECT_EQ(place_task(&facts, &kTunables).deadline_ns, 1'060'000);
}

TEST(Latency, WhoUsedUpItsBurstComesBehindAllThatDidNot)
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

TEST(Latency, KthreadThatLeftForAPacketDoesNotComeBackBeforeIt)
{
	place_facts facts = woken_with_budget(0, RUNNING_NORMAL);
	facts.woken = false;
	facts.bound_kthread = true;
	facts.deadline_ns = 990'000;  // of its last visit to the queue
	place_decision decision = place_task(&facts, &kTunables);
	EXPECT_EQ(decision.deadline_ns, facts.now_ns + kTunables.kthread_budget_ns);
}

TEST(Latency, ClassThatWaitsLongMayWorkLong)
{
	place_facts facts = woken_with_budget(1'000'000, RUNNING_NORMAL);
	facts.woken = false;
	facts.ran_ns = 124'999;  // many bursts, but little of its budget
	EXPECT_FALSE(is_renewed_key(place_task(&facts, &kTunables).key));
	facts.ran_ns = 125'000;
	EXPECT_TRUE(is_renewed_key(place_task(&facts, &kTunables).key));
}

TEST(Latency, TimerOfOneThatWasServedTakesNoCpuForALaterDeadline)
{
	EXPECT_GE(due_ns(1'000'000, false, &kTunables), 1'000'000 + kTunables.reserve_ns);
	EXPECT_LT(due_ns(1'000'000, false, &kTunables), 1'060'000);
}

// ---- two wait for one CPU; who is behind the other waits for up to 40 us more ----

u64 safe_for_both(u64 key, u64 other_key, u64 kept_until_ns = 0)
{
	return safe_for_both_ns(1'000'000, key, other_key, 10'000, 20'000, kept_until_ns);
}

TEST(Latency, TwoThatWaitAreSafeOneBehindTheOther)
{
	EXPECT_EQ(safe_for_both(deadline_key(1'080'001), deadline_key(1'070'001)),
		  1'030'001);  // 50 us before the later
	EXPECT_EQ(safe_for_both(deadline_key(1'070'001), deadline_key(1'080'001)), 1'030'001);
	EXPECT_EQ(safe_for_both(deadline_key(1'040'001), deadline_key(1'030'001)), 1'000'000);  // it has passed
}

TEST(Latency, TwoThatDoNotMeetOrGainNothingChangeNothing)
{
	EXPECT_EQ(safe_for_both(deadline_key(1'030'001), deadline_key(1'090'001)), ~0ULL);  // the first is gone by then
	EXPECT_EQ(safe_for_both(deadline_key(1'009'001), deadline_key(1'010'001)), ~0ULL);  // the CPU is taken as it is
	EXPECT_EQ(safe_for_both(deadline_key(1'080'001), renewed_key(1'070'001)), ~0ULL);
	EXPECT_EQ(safe_for_both(renewed_key(1'080'001), deadline_key(1'070'001)), ~0ULL);
}

TEST(Latency, TwoThatWaitLeaveTheFloorAlone)
{
	EXPECT_EQ(safe_for_both(deadline_key(1'080'001), deadline_key(1'070'001), 1'050'000), 1'050'000);
}

TEST(Latency, TimerForTwoTakesTheCpuBeforeTheMomentOfTheFirst)
{
	u64 first_ns = 1'070'001;
	u64 at_ns = safe_for_both(deadline_key(1'080'001), deadline_key(first_ns));
	EXPECT_GE(due_ns(at_ns, true, &kTunables), first_ns);
	EXPECT_LT(due_ns(at_ns, false, &kTunables), first_ns);
}

TEST(Latency, KthreadThatLeftForAPacketDoesNotPreemptIt)
{
	place_facts facts = woken_with_budget(0, RUNNING_KTHREAD);
	latency_tunables slow = kTunables;
	facts.woken = false;
	facts.bound_kthread = true;
	slow.reserve_ns = slow.kthread_budget_ns;  // measured on a slow machine: no slack is left
	place_decision decision = place_task(&facts, &slow);
	EXPECT_EQ(decision.place, PLACE_LATENCY);  // else the two would take turns of nothing
	EXPECT_GT(decision.preempt_at_ns, facts.now_ns);
}

TEST(Latency, LongRunningKthreadIsANormalTask)
{
	place_facts facts = woken_with_budget(0, RUNNING_NORMAL);
	facts.woken = false;
	facts.bound_kthread = true;
	facts.ran_ns = 4'000'000;
	EXPECT_EQ(place_task(&facts, &kTunables).place, PLACE_NORMAL);
}

running_facts running(running_kind kind, u64 deadline_ns)
{
	running_facts facts = {};
	facts.deadline_ns = deadline_ns;
	facts.budget_ns = 60'000;
	facts.kept_until_ns = 1'020'000;
	facts.kind = kind;
	return facts;
}

TEST(Latency, EarlierDeadlineWinsOnlyByMoreThanTheHysteresis)
{
	running_facts busy = running(RUNNING_BUDGETED, 1'100'000);
	busy.kept_until_ns = 0;
	EXPECT_FALSE(may_preempt(&busy, 1'000'000, 1'090'000, &kTunables));
	EXPECT_TRUE(may_preempt(&busy, 1'000'000, 1'089'999, &kTunables));
	busy.kind = RUNNING_NORMAL;
	EXPECT_TRUE(may_preempt(&busy, 1'000'000, ~0ULL, &kTunables));  // a normal task has no deadline to defend
}

TEST(Latency, BurstIsOnlyEndedForOneThatWouldBeLateBehindIt)
{
	running_facts busy = running(RUNNING_BUDGETED, 1'100'000);  // its burst ends at 1'020'000
	EXPECT_TRUE(may_preempt(&busy, 1'000'000, 1'029'999, &kTunables));
	EXPECT_FALSE(may_preempt(&busy, 1'000'000, 1'030'001, &kTunables));  // early enough when it is over
	busy.budget_ns = 20'000;
	busy.deadline_ns = 1'010'000;
	EXPECT_FALSE(may_preempt(&busy, 1'000'000, 1'020'000, &kTunables));  // nor for one that gains nothing
}

TEST(Latency, RenewedDeadlineEndsNobodysBurst)
{
	running_facts busy = running(RUNNING_BUDGETED, 1'900'000);
	EXPECT_FALSE(may_preempt(&busy, 1'019'999, renewed_key(1'001'000), &kTunables));
	EXPECT_TRUE(may_preempt(&busy, 1'019'999, deadline_key(1'001'000), &kTunables));
	EXPECT_TRUE(may_preempt(&busy, 1'020'000, renewed_key(1'001'000), &kTunables));
}

TEST(Latency, KernelThreadEndsNobodysBurst)
{
	running_facts busy = running(RUNNING_BUDGETED, 1'010'000);
	EXPECT_FALSE(may_preempt(&busy, 1'019'999, vtime_key(1'001'000), &kTunables));
	EXPECT_TRUE(may_preempt(&busy, 1'019'999, deadline_key(1'001'000), &kTunables));
}

TEST(Latency, CpuThatRunsNothingOfOursIsNotPreempted)
{
	// Idle, or with a task of a class above ours: it comes to us by itself, a kick would cost and win nothing.
	running_facts idle = running(RUNNING_NOTHING, 0);
	EXPECT_FALSE(may_preempt(&idle, 1'000'000, 0, &kTunables));
}

TEST(Latency, RunningTaskWhosePromiseWasKeptStandsLikeOneThatBecomesRunnableNow)
{
	running_facts spinner = running(RUNNING_BUDGETED, 1'010'000);  // the earliest of all, when it got the CPU
	u64 waiting_ns = 1'060'000;
	EXPECT_FALSE(may_preempt(&spinner, 1'019'999, waiting_ns, &kTunables));
	EXPECT_TRUE(may_preempt(&spinner, 1'020'000, waiting_ns, &kTunables));  // against 1'080'000
	// Else a class that never sleeps would make every other one late.
	EXPECT_TRUE(may_preempt(&spinner, 1'000'000, 1'015'001, &kTunables));  // in its burst, too: it would be late
}

TEST(Latency, OneThatWokeUpDoesNotWaitForOneThatHadItsBurst)
{
	running_facts runaway = running(RUNNING_BUDGETED, 0);
	runaway.kept_until_ns = 0;
	u64 soon_ns = 1'000'000 + kTunables.slack_ns_min;
	EXPECT_EQ(look_again_ns(1'000'000, deadline_key(900'000), &runaway, &kTunables), soon_ns);
	EXPECT_GT(look_again_ns(1'000'000, renewed_key(900'000), &runaway, &kTunables), soon_ns);
	EXPECT_FALSE(is_renewed_key(vtime_key(900'002)));  // of a kernel thread
}

TEST(Latency, LongBurstIsNotWaitedForByOneThatWouldBeLateBehindIt)
{
	running_facts busy = running(RUNNING_BUDGETED, 2'000'000);  // it came when the other was already late
	busy.kept_until_ns = 1'125'000;
	const u64 soon_ns = 1'000'000 + kTunables.slack_ns_min;
	EXPECT_EQ(look_again_ns(1'000'000, deadline_key(1'012'000), &busy, &kTunables), soon_ns);
	EXPECT_EQ(look_again_ns(1'000'000, renewed_key(1'012'000), &busy, &kTunables), 1'125'000);
}

TEST(Latency, BurstIsNotWaitedForWhereAnotherCpuMayBeTaken)
{
	running_facts busy = running(RUNNING_BUDGETED, 1'010'000);
	busy.deadline_ns = 1'000'000;
	busy.budget_ns = 1'000;
	EXPECT_EQ(look_again_ns(1'000'000, deadline_key(1'012'001), &busy, &kTunables), busy.kept_until_ns);
	busy.nr_other_cpus = 1;
	EXPECT_EQ(look_again_ns(1'000'000, deadline_key(1'012'001), &busy, &kTunables), 1'005'000);
}

TEST(Latency, PacketsGatherUntilTheLastSafeMomentIsNear)
{
	EXPECT_TRUE(may_gather(1'000'000, deadline_key(1'016'001), false, &kTunables));
	EXPECT_FALSE(may_gather(1'000'000, deadline_key(1'014'998), false, &kTunables));
	EXPECT_FALSE(may_gather(1'000'000, deadline_key(1'054'998), true, &kTunables));  // the second would be late
	EXPECT_FALSE(
	    may_gather(1'040'000, deadline_key(1'050'001), false, &kTunables));  // the floor would keep the CPU
}

TEST(Latency, WhoIsInTheMiddleOfItsWorkGathersNothing)
{
	EXPECT_FALSE(may_gather(1'000'000, renewed_key(1'900'001), false, &kTunables));
	EXPECT_FALSE(may_gather(1'000'000, vtime_key(1'900'000), false, &kTunables));  // nor does a kernel thread
}

TEST(Latency, WhoWasInterruptedGathersNothing)
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

TEST(Latency, WhoIsNearlyDoneGoesOnAndARunawayDoesNot)
{
	EXPECT_TRUE(may_go_on(1'000'000, 20'000, deadline_key(1'060'000)));
	EXPECT_FALSE(may_go_on(1'000'000, 61'000, deadline_key(1'060'000)));
}

TEST(Latency, WhoLostTheCpuWaitsForATurnAtMost)
{
	place_facts facts = woken_with_budget(200'000'000, RUNNING_NORMAL);
	EXPECT_EQ(place_task(&facts, &kTunables).deadline_ns, 201'000'000);
	facts.woken = false;
	facts.ran_ns = 4'000'000;
	EXPECT_EQ(place_task(&facts, &kTunables).deadline_ns, 5'000'000);
	facts.ran_ns = 100'000'000;  // and when it used up its burst, for a round
	EXPECT_EQ(place_task(&facts, &kTunables).deadline_ns, 1'000'000 + ROUND_NS);
}

TEST(Latency, NoTimePassesBackwards)
{
	EXPECT_EQ(elapsed_ns(1'000, 3'000), 2'000);
	EXPECT_EQ(elapsed_ns(3'000, 1'000), 0);  // else the floor would be owed all that it can be
}

TEST(Latency, BurstIsCpuTimeSinceTheWakeup)
{
	EXPECT_EQ(burst_until_ns(1'000'000, 0, 20'000), 1'020'000);
	EXPECT_EQ(burst_until_ns(1'000'000, 15'000, 20'000), 1'005'000);
	EXPECT_EQ(burst_until_ns(1'000'000, 20'000, 20'000), 0);  // however often it has been preempted since
	EXPECT_EQ(class_burst_ns(60'000, 20'000), 20'000);
	EXPECT_EQ(class_burst_ns(1'000'000, 20'000), 125'000);  // who waits long may work long
}

TEST(Latency, TurnThatTheFloorKeepsIsNotPreempted)
{
	place_facts facts = woken_with_budget(5'000, RUNNING_NORMAL);
	facts.running.kept_until_ns = facts.now_ns + 200'000;
	place_decision decision = place_task(&facts, &kTunables);
	EXPECT_EQ(decision.place, PLACE_LATENCY);
	EXPECT_EQ(decision.preempt_at_ns, facts.running.kept_until_ns);  // and not a moment longer
	facts.budget_ns = 60'000;  // also when the last safe moment is still to come
	EXPECT_EQ(place_task(&facts, &kTunables).preempt_at_ns, facts.running.kept_until_ns);
	EXPECT_FALSE(may_preempt(&facts.running, facts.now_ns + 199'999, 0, &kTunables));
	EXPECT_TRUE(may_preempt(&facts.running, facts.now_ns + 200'000, 0, &kTunables));
	EXPECT_EQ(may_run_until_ns(facts.now_ns, 0, &facts.running, &kTunables), facts.now_ns + 200'000);
}

TEST(Latency, FloorIsPaidByThoseThatHadTheirBursts)
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

TEST(Latency, ThoseThatHadTheirBurstsTakeTurnsWhateverTheirBudgets)
{
	running_facts runaway = running(RUNNING_BUDGETED, 0);
	runaway.kept_until_ns = 0;
	runaway.turn_until_ns = 1'000'000 + ROUND_NS;
	runaway.budget_ns = 1'000'000;
	EXPECT_FALSE(may_preempt(&runaway, 1'000'000, renewed_key(900'000), &kTunables));
	EXPECT_TRUE(may_preempt(&runaway, 1'000'000 + ROUND_NS, renewed_key(900'000), &kTunables));
	EXPECT_TRUE(may_preempt(&runaway, 1'000'000, deadline_key(900'000), &kTunables));
}

TEST(Latency, NormalTaskThatStartsTooLateLeavesAtOnce)
{
	running_facts normal = running(RUNNING_NORMAL, 0);
	normal.kept_until_ns = 0;
	EXPECT_EQ(may_run_until_ns(1'000'000, 1'014'999, &normal, &kTunables), 1'000'000);
	EXPECT_EQ(may_run_until_ns(1'000'000, 1'060'000, &normal, &kTunables), 1'050'000);
}

TEST(Latency, KernelThreadsDoNotTakeTurnsOfNothing)
{
	running_facts kthread = running(RUNNING_KTHREAD, 0);
	EXPECT_EQ(may_run_until_ns(1'000'000, vtime_key(900'000), &kthread, &kTunables), 1'010'000);
	EXPECT_EQ(may_run_until_ns(1'000'000, deadline_key(900'000), &kthread, &kTunables), 1'000'000);
}

TEST(Latency, LateTimerGivesTheRunningTaskTheReserve)
{
	// A timer that fires faster than a task gets on the CPU would stop the machine.
	running_facts busy = running(RUNNING_BUDGETED, 0);
	busy.kept_until_ns = 0;
	EXPECT_EQ(look_again_ns(1'000'000, renewed_key(900'000), &busy, &kTunables), 1'010'000);
	EXPECT_EQ(retry_look_ns(1'000'000, &busy, 50'000, &kTunables), 1'050'000);
	busy.kept_until_ns = 1'007'000;  // where something keeps the CPU for the running task, when that ends
	EXPECT_EQ(look_again_ns(1'000'000, 900'000, &busy, &kTunables), 1'007'000);
	EXPECT_EQ(retry_look_ns(1'000'000, &busy, 50'000, &kTunables), 1'010'000);
}

TEST(Latency, QueuedBehindAnEarlierDeadlineIsLookedAtAgain)
{
	place_facts facts = woken_with_budget(5'000, RUNNING_BUDGETED);
	facts.running.deadline_ns = 1'001'000;
	place_decision decision = place_task(&facts, &kTunables);
	EXPECT_EQ(decision.place, PLACE_LATENCY);
	EXPECT_GT(decision.preempt_at_ns, facts.now_ns);  // never a timer in the past: it would fire for ever
}

TEST(Latency, BoundKthreadIsNeverBehindNormalTasksNorAheadOfAnArrivingPacket)
{
	place_facts facts = woken_with_budget(0, RUNNING_NORMAL);
	facts.bound_kthread = true;
	EXPECT_EQ(place_task(&facts, &kTunables).place, PLACE_LOCAL_PREEMPT);
	facts.running.kind = RUNNING_BUDGETED;
	EXPECT_EQ(place_task(&facts, &kTunables).place, PLACE_LOCAL);
	facts.running.kind = RUNNING_ARRIVING;
	EXPECT_EQ(place_task(&facts, &kTunables).place, PLACE_LOCAL_LAST);
	facts.running.kind = RUNNING_NORMAL;
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
		facts.running.kind = static_cast<running_kind>(random() % 5);
		facts.running.deadline_ns = facts.now_ns - 100'000 + random() % 200'000;
		facts.woken = random() % 2;
		place_decision decision = place_task(&facts, &kTunables);
		ASSERT_NE(decision.place, PLACE_NORMAL);
		if (decision.place != PLACE_LATENCY)
			continue;
		ASSERT_GE(decision.preempt_at_ns, facts.now_ns + kTunables.slack_ns_min);
		u64 latest_ns =
		    std::max(decision.deadline_ns - kTunables.reserve_ns, facts.now_ns + kTunables.reserve_ns);
		ASSERT_LE(decision.preempt_at_ns, latest_ns + 3);  // what the bits of the key add
	}
}

TEST(Latency, KeysTellTheClassAndKeepTheOrder)
{
	EXPECT_TRUE(is_deadline_key(deadline_key(1000)));
	EXPECT_FALSE(is_deadline_key(vtime_key(1001)));
	for (u64 ns = 1000; ns < 1008; ns++) {
		EXPECT_LE(deadline_key(ns), deadline_key(ns + 1));
		EXPECT_LE(renewed_key(ns), renewed_key(ns + 1));
		EXPECT_TRUE(is_renewed_key(renewed_key(ns)));
		EXPECT_FALSE(is_renewed_key(deadline_key(ns)));
		EXPECT_EQ(deadline_of_key(renewed_key(ns)), ns | 1);
		EXPECT_LE(deadline_key(ns), interrupted_key(ns));
		EXPECT_LE(interrupted_key(ns), deadline_key(ns + 4));
	}
}

TEST(Latency, WhoWokeUpComesBeforeWhoHadItsBurst)
{
	u64 year_ns = 365ULL * 24 * 3600 * 1'000'000'000;
	EXPECT_TRUE(vtime_before(deadline_key(70 * year_ns), renewed_key(1'000)));  // as the kernel compares keys
	EXPECT_TRUE(vtime_before(deadline_key(1'000), renewed_key(70 * year_ns)));
}

TEST(Latency, WaitBeginsWithItsWakeup)
{
	EXPECT_EQ(wait_began_ns(1'000'000, 1'002'000), 1'000'000U);
	EXPECT_EQ(wait_began_ns(1'000'000, 1'000'000 + WAKEUP_NS_MAX + 1),
		  1'000'001 + WAKEUP_NS_MAX);                    // another wakeup's
	EXPECT_EQ(wait_began_ns(1'000'000, 999'000), 999'000U);  // clocks of two CPUs
}

TEST(Latency, ChoosingACpuTakesOfTheBudget)
{
	EXPECT_EQ(budget_left_ns(20'000, 2'000), 18'000U);
	EXPECT_EQ(budget_left_ns(1'000, 2'000), 1U);  // not 0: that would be none
	EXPECT_EQ(budget_left_ns(0, 2'000), 0U);
}

TEST(Latency, AmongSeveralCpusAimsALittleBeforeTheBudgetEnds)
{
	EXPECT_EQ(budget_left_ns(64'000, 1'000), 61'000U);
	EXPECT_EQ(budget_left_ns(64'000, 0), 64'000U);
}

}  // namespace
