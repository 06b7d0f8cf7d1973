// SPDX-License-Identifier: GPL-2.0-only
// When a budget is said to be infeasible, and which reason is given.
#include <gtest/gtest.h>

#include "policy/feasible.h"

namespace {

constexpr u64 kBudget = 60'000;
constexpr u64 kNow = 7'000'000'000;
constexpr u64 kBegan = kNow - FEASIBLE_WINDOW_NS;

feasible_window window_of(std::initializer_list<u64> waits)
{
	feasible_window window = feasible_window_at(kBegan);
	for (u64 wait_ns : waits)
		feasible_wait(&window, wait_ns, kBudget, 3);
	return window;
}

// As many as it takes for a verdict, all too long.
feasible_window all_missed()
{
	feasible_window window = feasible_window_at(kBegan);
	for (u64 i = 0; i < FEASIBLE_WAITS_MIN; i++)
		feasible_wait(&window, kBudget + 1, kBudget, 3);
	return window;
}

feasible_facts calm()
{
	feasible_facts facts = {};
	facts.now_ns = kNow;
	facts.budget_ns = kBudget;
	facts.switch_ns = 18'000;
	facts.floor_percent = 10;
	facts.budgeted_percent = 30;
	return facts;
}

feasible_reason judge(const feasible_window& window, const feasible_facts& facts = calm())
{
	return feasible_judge(&window, &facts);
}

TEST(Feasible, OneWaitWithinTheBudgetIsEnough)
{
	feasible_window window = all_missed();
	EXPECT_NE(judge(window), FEASIBLE);
	feasible_wait(&window, kBudget, kBudget, 3);
	EXPECT_EQ(judge(window), FEASIBLE);
	EXPECT_FALSE(feasible_is_open(&window, kNow, kBudget));
}

TEST(Feasible, ClassThatAskedForNothingIsFeasible)
{
	feasible_window window = feasible_window_at(kBegan);
	EXPECT_EQ(judge(window), FEASIBLE);
	EXPECT_FALSE(feasible_is_open(&window, kNow, kBudget));
}

// One late arrival of a class that wakes ten times a second would be a verdict otherwise.
TEST(Feasible, FewLateWaitsAreNoVerdictYet)
{
	feasible_window window = window_of({90'000, 80'000});
	EXPECT_EQ(judge(window), FEASIBLE);
	EXPECT_TRUE(feasible_is_open(&window, kNow, kBudget));
	EXPECT_FALSE(feasible_is_open(&window, kBegan + FEASIBLE_WINDOW_NS_MAX, kBudget));  // that was long ago
}

TEST(Feasible, EnoughLateWaitsEndTheWindow)
{
	feasible_window window = all_missed();
	EXPECT_FALSE(feasible_is_open(&window, kNow, kBudget));
	EXPECT_EQ(window.cpu, 3);
}

// In the 2 ms that are left of ten its waits are short, and there are many of them.
TEST(Feasible, ClassThatIsLateForATenthOfTheTimeIsNot)
{
	feasible_window window = window_of({10'000, 5'000'000 + kBudget, 5'000'000 + kBudget});
	EXPECT_EQ(judge(window), FEASIBLE);  // to the nanosecond
	feasible_wait(&window, kBudget + 1, kBudget, 3);
	feasible_facts facts = calm();
	facts.others_percent = 80;
	EXPECT_EQ(judge(window, facts), INFEASIBLE_TAKEN_BY_OTHERS);
}

TEST(Feasible, FirstWindowBeginsWhenTheFirstOneEnds)
{
	feasible_window window = {};  // as the scheduler is loaded
	for (u64 i = 0; i < 100; i++)
		feasible_wait(&window, 2 * kBudget, kBudget, 0);
	EXPECT_EQ(judge(window), FEASIBLE);
}

TEST(Feasible, TaskThatWaitsSinceBeforeTheWindowIsStarved)
{
	feasible_window window = feasible_window_at(kBegan);
	feasible_waiting(&window, kNow, kNow + 5, 4);  // still has time
	feasible_waiting(&window, kNow, kNow - FEASIBLE_WINDOW_NS + 1, 4);
	EXPECT_EQ(judge(window), FEASIBLE);  // it may run in a moment, and then it counts as a wait
	feasible_waiting(&window, kNow, kNow - FEASIBLE_WINDOW_NS, 4);
	EXPECT_EQ(judge(window), INFEASIBLE_UNKNOWN);
	EXPECT_EQ(window.cpu, 4);
}

// Its packets are late, but nothing becomes runnable: there are no waits that could tell.
TEST(Feasible, TaskThatNeverSleepsAsksForMoreThanThereIs)
{
	feasible_window window = feasible_window_at(kBegan);
	feasible_sample(&window, kNow, 4'000'000, FEASIBLE_WINDOW_NS - 1, 2);
	EXPECT_EQ(judge(window), FEASIBLE);
	feasible_sample(&window, kNow, 4'000'000, FEASIBLE_WINDOW_NS, 2);
	EXPECT_EQ(judge(window), INFEASIBLE_NOT_ENOUGH_CPU);
	EXPECT_EQ(window.ran_ns, 8'000'000);
	EXPECT_EQ(window.cpu, 2);
	feasible_wait(&window, 1'000, kBudget, 2);  // of another task of the class
	EXPECT_EQ(judge(window), INFEASIBLE_NOT_ENOUGH_CPU);
}

TEST(Feasible, SampleCountsNoTimeFromBeforeTheWindow)
{
	feasible_window window = feasible_window_at(kNow - 10);
	EXPECT_EQ(feasible_sample(&window, kNow, 1'000'000, 0, 0), 10);
	EXPECT_EQ(window.ran_ns, 10);
	EXPECT_EQ(feasible_sample(&window, kNow - 20, 1'000'000, 0, 0), 0);  // another CPU's clock is behind
}

TEST(Feasible, ClassOverItsCapIsToldThatFirst)
{
	feasible_window window = window_of({10'000});  // while it was not
	window.nr_over_cap = 1;
	feasible_facts facts = calm();
	facts.others_percent = 80;
	EXPECT_EQ(judge(window, facts), INFEASIBLE_OVER_CAP);
	window = window_of({90'000});
	window.nr_over_cap = 1;
	EXPECT_FALSE(feasible_is_open(&window, kNow, kBudget));
}

TEST(Feasible, OthersAreTheReasonFromAFifthOfTheCpuOn)
{
	feasible_facts facts = calm();
	facts.budgeted_percent = 80;
	facts.others_percent = FEASIBLE_OTHERS_PERCENT - 1;
	EXPECT_NE(judge(all_missed(), facts), INFEASIBLE_TAKEN_BY_OTHERS);
	facts.others_percent++;
	EXPECT_EQ(judge(all_missed(), facts), INFEASIBLE_TAKEN_BY_OTHERS);
	EXPECT_EQ(judge(window_of({10'000}), facts), FEASIBLE);  // they do no harm
}

TEST(Feasible, FullCpuIsTheReasonAndTheFloorWhenItWasPaid)
{
	feasible_facts facts = calm();
	facts.budgeted_percent = FEASIBLE_FULL_PERCENT - facts.floor_percent - 1;
	EXPECT_EQ(judge(all_missed(), facts), INFEASIBLE_UNKNOWN);
	facts.budgeted_percent++;
	EXPECT_EQ(judge(all_missed(), facts), INFEASIBLE_NOT_ENOUGH_CPU);
	facts.floor_paid = true;
	EXPECT_EQ(judge(all_missed(), facts), INFEASIBLE_FLOOR);
}

TEST(Feasible, BudgetBelowASwitchIsTooShort)
{
	feasible_facts facts = calm();
	facts.switch_ns = facts.budget_ns + 1;
	EXPECT_EQ(judge(all_missed(), facts), INFEASIBLE_TOO_SHORT);
	facts.switch_ns--;
	EXPECT_EQ(judge(all_missed(), facts), INFEASIBLE_UNKNOWN);
}

TEST(Feasible, UseOfACpuIsThatOfItsLastWindow)
{
	feasible_cpu cpu = {};
	feasible_cpu_sample(&cpu, kBegan, 0);
	feasible_cpu_sample(&cpu, kBegan + FEASIBLE_WINDOW_NS / 2, FEASIBLE_WINDOW_NS / 2);
	feasible_cpu_sample(&cpu, kNow, FEASIBLE_WINDOW_NS / 4);
	EXPECT_EQ(feasible_cpu_percent(&cpu, kNow + 1'000'000), 75);
	EXPECT_EQ(feasible_cpu_percent(&cpu, kNow + 3 * FEASIBLE_WINDOW_NS), 0);  // idle since
	EXPECT_EQ(feasible_percent(3, 2), 100);
}

TEST(Feasible, VerdictKeepsTheFactsOfTheLastInfeasibleWindow)
{
	class_verdict verdict = {};
	feasible_window window = all_missed();
	feasible_facts facts = calm();
	feasible_note(&verdict, &window, &facts, INFEASIBLE_UNKNOWN);
	EXPECT_EQ(verdict.length_ns, FEASIBLE_WINDOW_NS);
	EXPECT_EQ(verdict.wait_ns_min, kBudget + 1);
	EXPECT_EQ(verdict.nr_missed, FEASIBLE_WAITS_MIN);
	window = window_of({10'000});
	feasible_note(&verdict, &window, &facts, FEASIBLE);
	EXPECT_EQ(verdict.nr_windows, 2);
	EXPECT_EQ(verdict.nr_infeasible, 1);
	EXPECT_EQ(verdict.reason_now, FEASIBLE);
	EXPECT_EQ(verdict.reason, INFEASIBLE_UNKNOWN);
	EXPECT_EQ(verdict.wait_ns_min, kBudget + 1);
}

}  // namespace
