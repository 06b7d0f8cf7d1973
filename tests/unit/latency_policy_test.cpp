// SPDX-License-Identifier: GPL-2.0-only
// The scheduling decisions, called as the kernel calls them: budgets and deadlines.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "policy/vtime.h"
#include "tests/unit/latency_facts.h"

namespace {

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

TEST(Latency, KthreadThatLeftForAPacketDoesNotComeBackBeforeIt)
{
	place_facts facts = woken_with_budget(0, RUNNING_NORMAL);
	facts.woken = false;
	facts.bound_kthread = true;
	facts.deadline_ns = 990'000;  // of its last visit to the queue
	place_decision decision = place_task(&facts, &kTunables);
	EXPECT_EQ(decision.deadline_ns, facts.now_ns + kTunables.kthread_budget_ns);
}

// ---- two wait for one CPU; who is behind the other waits for up to 40 us more ----

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

TEST(Latency, EarlierDeadlineWinsOnlyByMoreThanTheHysteresis)
{
	running_facts busy = running(RUNNING_BUDGETED, 1'100'000);
	busy.kept_until_ns = 0;
	EXPECT_FALSE(may_preempt(&busy, 1'000'000, 1'090'000, &kTunables));
	EXPECT_TRUE(may_preempt(&busy, 1'000'000, 1'089'999, &kTunables));
	busy.kind = RUNNING_NORMAL;
	EXPECT_TRUE(may_preempt(&busy, 1'000'000, ~0ULL, &kTunables));  // a normal task has no deadline to defend
}

TEST(Latency, CpuThatRunsNothingOfOursIsNotPreempted)
{
	// Idle, or with a task of a class above ours: it comes to us by itself, a kick would cost and win nothing.
	running_facts idle = running(RUNNING_NOTHING, 0);
	EXPECT_FALSE(may_preempt(&idle, 1'000'000, 0, &kTunables));
}

TEST(Latency, NoTimePassesBackwards)
{
	EXPECT_EQ(elapsed_ns(1'000, 3'000), 2'000);
	EXPECT_EQ(elapsed_ns(3'000, 1'000), 0);  // else the floor would be owed all that it can be
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
