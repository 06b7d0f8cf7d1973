// SPDX-License-Identifier: GPL-2.0-only
// Placement over caches and nodes: who leaves a CPU, a cache, a node, and when.
#include <gtest/gtest.h>

#include <set>

#include "policy/placement.h"
#include "scenarios.h"

namespace punctual::sim {
namespace {

constexpr u32 kStubborn = 0;  // classes: whoever has so small a budget is not preempted for
constexpr u32 kPatient = 1;   // whoever may wait four times as long

Scenario machine(u32 nr_cpus, u32 cpus_per_llc, u32 llcs_per_node)
{
	Scenario scenario;
	scenario.machine.nr_cpus = nr_cpus;
	scenario.machine.cpus_per_llc = cpus_per_llc;
	scenario.machine.llcs_per_node = llcs_per_node;
	scenario.classes = {{15'000}, {60'000}};
	scenario.keep_trace = true;
	return scenario;
}

TaskSpec sleeper(u64 run_ns, u64 sleep_ns, u32 class_index)
{
	TaskSpec task;
	task.program = Program::sleeper;
	task.class_index = class_index;
	task.run_ns = run_ns;
	task.sleep_ns = sleep_ns;
	task.varies = true;
	task.start_ns = kMillisecond;  // when the spinners have filled the machine
	return task;
}

// One spinner a CPU, bound to it: of the stubborn class on these CPUs, normal on the others.
void occupy(Scenario* scenario, const std::set<u32>& by_stubborn)
{
	for (u32 cpu = 0; cpu < scenario->machine.nr_cpus; cpu++) {
		scenario->tasks.push_back(spinner(by_stubborn.contains(cpu) ? kStubborn : kNoClass));
		scenario->tasks.back().cpus = {cpu};
	}
}

std::set<u32> cpus_of(const Outcome& outcome, u32 task)
{
	std::set<u32> cpus;
	for (const Run& run : outcome.runs)
		if (run.task == task)
			cpus.insert(run.cpu);
	return cpus;
}

void expect_nothing_broken(const Outcome& outcome)
{
	for (const std::string& broken : outcome.broken)
		ADD_FAILURE() << broken;
}

// Their budget leaves no slack, so each must get a CPU at once; and one of four always runs normal work.
TEST(Placement, NobodyWaitsBehindABudgetedBurstWhileANeighbourRunsNormalWork)
{
	Scenario scenario = machine(4, 4, 1);
	occupy(&scenario, {});
	for (u32 i = 0; i < 4; i++)
		scenario.tasks.push_back(sleeper(15'000, 60'000, kStubborn));
	Outcome outcome = simulate(scenario);
	EXPECT_GT(outcome.classes[kStubborn].waits.count(), 3000);
	EXPECT_LE(outcome.classes[kStubborn].waits.quantile_ns(0.999), 15'000);
	expect_nothing_broken(outcome);
}

TEST(Placement, TaskStaysInItsCacheWhileThatCanServeIt)
{
	Scenario scenario = machine(4, 2, 2);
	occupy(&scenario, {0});  // the other CPU of its cache is normal
	scenario.tasks.push_back(sleeper(10'000, 100'000, kPatient));
	Outcome outcome = simulate(scenario);
	EXPECT_EQ(outcome.nr_remote, 0);
	for (u32 cpu : cpus_of(outcome, 4))
		EXPECT_LT(cpu, 2);  // now and then CPU 0 too: the spinner there comes behind whoever woke up
	EXPECT_LE(outcome.classes[kPatient].waits.max_ns(), 60'000);
}

TEST(Placement, TaskLeavesACacheThatCannotServeItInTime)
{
	Scenario scenario = machine(4, 2, 2);
	occupy(&scenario, {0, 1});
	scenario.tasks.push_back(sleeper(10'000, 100'000, kPatient));
	Outcome outcome = simulate(scenario);
	EXPECT_GE(outcome.nr_remote, 1);
	EXPECT_LE(outcome.classes[kPatient].waits.max_ns(), 60'000 + 10'000);
	expect_nothing_broken(outcome);
}

// It begins in the second cache of the second node; by number the first cache of all would come next.
TEST(Placement, CacheOfTheSameNodeComesFirst)
{
	Scenario scenario = machine(8, 2, 2);
	occupy(&scenario, {6, 7});
	scenario.tasks.insert(scenario.tasks.begin() + 6, sleeper(10'000, 100'000, kPatient));  // so it begins on CPU 6
	Outcome outcome = simulate(scenario);
	EXPECT_GE(outcome.nr_remote, 1);
	std::set<u32> cpus = cpus_of(outcome, 6);
	EXPECT_TRUE(cpus.contains(4) || cpus.contains(5));
	for (u32 far : {0, 1, 2, 3})
		EXPECT_FALSE(cpus.contains(far)) << "CPU " << far;
}

TEST(Placement, OtherNodeWhenItsOwnIsFull)
{
	Scenario scenario = machine(8, 2, 2);
	occupy(&scenario, {4, 5, 6, 7});
	scenario.tasks.insert(scenario.tasks.begin() + 6, sleeper(10'000, 100'000, kPatient));
	Outcome outcome = simulate(scenario);
	EXPECT_GE(outcome.nr_remote, 1);
	EXPECT_LE(outcome.classes[kPatient].waits.max_ns(), 60'000 + 10'000);
}

// Else the kernel would end the scheduler.
TEST(Placement, TaskIsNeverMovedToWhereItMayNotRun)
{
	Scenario scenario = machine(6, 2, 3);
	occupy(&scenario, {0, 1});
	for (u32 i = 0; i < 6; i++) {
		scenario.tasks.push_back(sleeper(10'000, 50'000, kPatient));
		scenario.tasks.back().cpus = {0, 1, 4 + i % 2};
		scenario.tasks.back().unmovable_percent = 30;
	}
	Outcome outcome = simulate(scenario);
	EXPECT_GT(outcome.nr_remote, 0);
	expect_nothing_broken(outcome);
	for (u32 i = 0; i < 6; i++)
		EXPECT_FALSE(cpus_of(outcome, 6 + i).contains(2 + i % 2)) << "task " << i;
}

// There it would have no budget. CPUs 0 and 1 are a cache of their own.
TEST(Placement, TaskOutsideTheScopeComesBackIntoIt)
{
	Scenario scenario = machine(4, 2, 2);
	occupy(&scenario, {});
	scenario.latency.cpus_outside = {0, 1};
	scenario.tasks.push_back(sleeper(10'000, 100'000, kPatient));
	Outcome outcome = simulate(scenario);
	EXPECT_GT(outcome.classes[kPatient].waits.count(), 500);
	EXPECT_LE(outcome.classes[kPatient].waits.quantile_ns(0.99), 60'000);
}

TEST(Placement, AThousandCpusAreNotLookedThrough)
{
	Scenario scenario = machine(CPUS_MAX, 256, 2);
	scenario.duration_ns = 2 * kMillisecond;
	scenario.audit = scenario.keep_trace = false;
	std::set<u32> all_but_few;
	for (u32 cpu = 0; cpu < CPUS_MAX; cpu++)
		if (cpu % 100)
			all_but_few.insert(cpu);
	occupy(&scenario, all_but_few);
	for (u32 i = 0; i < 64; i++)
		scenario.tasks.push_back(sleeper(10'000, 100'000, kPatient));
	Outcome outcome = simulate(scenario);
	EXPECT_EQ(outcome.nr_wakeup_looks_max, WAKEUP_CPUS_MAX);
	EXPECT_EQ(outcome.nr_urgent_looks_max, URGENT_CPUS_MAX);
}

}  // namespace
}  // namespace punctual::sim
