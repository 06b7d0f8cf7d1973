// SPDX-License-Identifier: GPL-2.0-only
// Which CPU a budgeted task is given that found none idle.
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "policy/placement.h"

namespace {

running_facts running(running_kind kind, u64 kept_until_ns = 0)
{
	running_facts facts = {};
	facts.kind = kind;
	facts.kept_until_ns = kept_until_ns;
	return facts;
}

candidate rank(running_facts facts, bool in_scope = true)
{
	return rank_candidate(&facts, in_scope, 1'000'000, deadline_key(1'000'000));
}

TEST(Placement, NormalWorkIsPreferredToWhateverMayNotBePreempted)
{
	for (running_kind kind : {RUNNING_NOTHING, RUNNING_KTHREAD, RUNNING_BUDGETED, RUNNING_ARRIVING})
		EXPECT_GT(rank(running(RUNNING_NORMAL)), rank(running(kind))) << "kind " << kind;
}

TEST(Placement, CpuThatTheFloorKeepsIsBusyUntilThen)
{
	EXPECT_EQ(rank(running(RUNNING_NORMAL, 1'000'001)), CANDIDATE_BUSY);
	EXPECT_EQ(rank(running(RUNNING_NORMAL, 1'000'000)), CANDIDATE_PREEMPTIBLE);
}

TEST(Placement, CpuInScopeIsPreferredHoweverBusy)
{
	EXPECT_GT(rank(running(RUNNING_BUDGETED)), rank(running(RUNNING_NORMAL), false));
}

TEST(Placement, PreviousCpuThatNothingKeepsNeedsNoOther)
{
	running_facts normal = running(RUNNING_NORMAL);
	running_facts kept = running(RUNNING_NORMAL, 1);  // whether still, only the time would tell
	EXPECT_TRUE(is_best_candidate(&normal, true));
	EXPECT_FALSE(is_best_candidate(&normal, false));
	EXPECT_FALSE(is_best_candidate(&kept, true));
}

std::vector<u32> order(u32 home, llc_place place, u32 nr_llcs)
{
	std::vector<u32> llcs;
	for (u32 step = 0; step < nr_llcs; step++)
		llcs.push_back(near_llc(home, step, &place, nr_llcs));
	return llcs;
}

TEST(Placement, CachesOfTheNodeComeBeforeTheOtherNodes)
{
	llc_place place = {.first_cpu = 0, .scope_cpu = 0, .first_llc_of_node = 3, .nr_llcs_of_node = 3};
	EXPECT_EQ(order(4, place, 8), (std::vector<u32>{4, 5, 3, 6, 7, 0, 1, 2}));
}

TEST(Placement, OnlyForABudgetedTaskIsAnotherCpuOfTheCacheBetter)
{
	running_facts here = running(RUNNING_BUDGETED);
	EXPECT_EQ(nr_urgent_cpus(&here, true), 0);  // it has its cache alone
	here.nr_other_cpus = 3;
	EXPECT_EQ(nr_urgent_cpus(&here, true), 4);
	here.nr_other_cpus = 255;
	EXPECT_EQ(nr_urgent_cpus(&here, true), URGENT_CPUS_MAX);
	here.kind = RUNNING_NORMAL;
	EXPECT_EQ(nr_urgent_cpus(&here, true), 0);
	EXPECT_EQ(nr_urgent_cpus(&here, false), URGENT_CPUS_MAX);  // no choice: other caches, too
}

TEST(Placement, EveryCacheComesOnce)
{
	for (u16 nr_llcs_of_node : {1, 2, 5})
		for (u16 home = 0; home < 10; home++) {
			u16 first = home / nr_llcs_of_node * nr_llcs_of_node;
			std::vector<u32> llcs = order(home, {0, 0, first, nr_llcs_of_node, 1}, 10);
			EXPECT_EQ(llcs.front(), home);
			EXPECT_EQ(std::set<u32>(llcs.begin(), llcs.end()).size(), 10U) << "home " << home;
		}
}

// Without a description of the machine it is one cache.
TEST(Placement, UnknownMachineIsOneCache)
{
	EXPECT_EQ(order(0, {}, 1), (std::vector<u32>{0}));
}

}  // namespace
