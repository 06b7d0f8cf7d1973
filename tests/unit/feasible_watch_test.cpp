// SPDX-License-Identifier: GPL-2.0-only
// What `run` and `status` say of budgets that cannot be kept.
#include <gtest/gtest.h>

#include <map>

#include "cli/feasible_watch.h"
#include "cli/feasible_words.h"

namespace punctual {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

const FeasibleWatch::Time kStart = FeasibleWatch::Time() + 1000s;

FeasibleWatch watch_of_vnf()
{
	return FeasibleWatch([](uint64_t) { return "vnf.slice"; });
}

class_verdict over_cap(u64 nr_infeasible)
{
	class_verdict verdict = {};
	verdict.cgroup_id = 7;
	verdict.nr_windows = 100;
	verdict.nr_infeasible = nr_infeasible;
	verdict.nr_over_cap = 12;
	verdict.reason = verdict.reason_now = INFEASIBLE_OVER_CAP;
	return verdict;
}

Lines step(FeasibleWatch& watch, const class_verdict& verdict, std::chrono::milliseconds after)
{
	return watch.step({&verdict, 1}, kStart + after);
}

TEST(FeasibleWatch, ClassThatKeepsItsBudgetIsNotSpokenOf)
{
	FeasibleWatch watch = watch_of_vnf();
	class_verdict verdict = over_cap(0);
	EXPECT_EQ(step(watch, verdict, 0ms), Lines());
	EXPECT_EQ(step(watch, verdict, 60s), Lines());
	EXPECT_EQ(watch.summary(), Lines());
}

TEST(FeasibleWatch, SaysWhyItBecomesInfeasibleAtOnceAndOnce)
{
	FeasibleWatch watch = watch_of_vnf();
	Lines lines = step(watch, over_cap(1), 0ms);
	ASSERT_EQ(lines.size(), 1);
	EXPECT_EQ(lines[0], "vnf.slice: its budget cannot be kept: " + infeasible_words(over_cap(1)));
	for (int i = 1; i < 100; i++)
		EXPECT_EQ(step(watch, over_cap(1 + i), 100ms * i), Lines());
	EXPECT_EQ(watch.summary(), Lines{"vnf.slice: budget not kept in 100 of 100 windows of 100 ms"});
}

TEST(FeasibleWatch, SaysThatItIsKeptAgainWhenThatHasLasted)
{
	FeasibleWatch watch = watch_of_vnf();
	step(watch, over_cap(1), 0ms);
	step(watch, over_cap(60), 5900ms);
	EXPECT_EQ(step(watch, over_cap(60), 6800ms), Lines());
	EXPECT_EQ(step(watch, over_cap(60), 6900ms), Lines{"vnf.slice: its budget is kept again"});
}

// However often it changes its mind.
TEST(FeasibleWatch, SaysNoMoreThanALineInFiveSeconds)
{
	FeasibleWatch watch = watch_of_vnf();
	size_t said = 0;
	for (int i = 0; i < 600; i++) {
		class_verdict verdict = over_cap(1 + i / 20);  // one window in twenty
		verdict.reason = i / 20 % 2 ? INFEASIBLE_FLOOR : INFEASIBLE_OVER_CAP;
		said += step(watch, verdict, 100ms * i).size();
	}
	EXPECT_LE(said, 12);
	EXPECT_GT(said, 2);
}

TEST(FeasibleWatch, SumGoesOnWhenTheSchedulerIsLoadedAgain)
{
	FeasibleWatch watch = watch_of_vnf();
	step(watch, over_cap(3), 0ms);
	class_verdict anew = over_cap(2);
	anew.nr_windows = 5;
	step(watch, anew, 1000ms);
	EXPECT_EQ(watch.summary(), Lines{"vnf.slice: budget not kept in 5 of 105 windows of 100 ms"});
}

TEST(InfeasibleWords, EveryReasonHasItsOwnWordsWithARemedy)
{
	std::map<uint32_t, std::vector<const char*>> expected = {
	    {INFEASIBLE_OVER_CAP, {"over its cap", "12 times", "raise the cap"}},
	    {INFEASIBLE_TAKEN_BY_OTHERS, {"real-time tasks or interrupts take 40 % of CPU 3", "move them"}},
	    {INFEASIBLE_NOT_ENOUGH_CPU, {"tasks with budgets use 91 % of CPU 3", "--cpus"}},
	    {INFEASIBLE_FLOOR, {"91 % of CPU 3", "--floor"}},
	    {INFEASIBLE_TOO_SHORT, {"shortest of 9 waits took 7.3 us", "longer budget"}},
	    {INFEASIBLE_UNKNOWN, {"shortest of 9 waits took 7.3 us", "longer budget"}},
	};
	for (const auto& [reason, words] : expected) {
		class_verdict verdict = over_cap(1);
		verdict.reason = reason;
		verdict.cpu = 3;
		verdict.others_percent = 40;
		verdict.budgeted_percent = 91;
		verdict.nr_missed = 9;
		verdict.wait_ns_min = 7'300;
		verdict.budget_ns = 5'000;
		for (const char* word : words)
			EXPECT_NE(infeasible_words(verdict).find(word), std::string::npos)
			    << infeasible_words(verdict) << " lacks " << word;
	}
}

TEST(InfeasibleWords, ClassThatNeverSleptIsToldHowMuchItUsed)
{
	class_verdict verdict = over_cap(1);
	verdict.reason = INFEASIBLE_NOT_ENOUGH_CPU;
	verdict.nr_sleepless = 20;
	verdict.length_ns = 100'000'000;
	verdict.ran_ns = 88'000'000;
	EXPECT_NE(infeasible_words(verdict).find("more CPU than there is: 88 % of a CPU used"), std::string::npos);
}

TEST(InfeasibleWords, WindowWithoutAWaitIsNamedByTheOneThatWaits)
{
	class_verdict verdict = over_cap(1);
	verdict.reason = INFEASIBLE_UNKNOWN;
	verdict.wait_ns_min = ~0ULL;
	verdict.overdue_ns = 230'000'000;
	EXPECT_NE(infeasible_words(verdict).find("has waited for 230 ms"), std::string::npos);
}

}  // namespace
}  // namespace punctual
