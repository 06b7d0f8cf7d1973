// SPDX-License-Identifier: GPL-2.0-only
// Weights of groups: who gets how much of the CPU. Shares are those after half a second; until then the sums fill.
#include <gtest/gtest.h>

#include <numeric>

#include "scenarios.h"

namespace punctual::sim {
namespace {

constexpr u64 kFromNs = 500 * kMillisecond;
constexpr u64 kToNs = 2500 * kMillisecond;

Scenario machine(std::vector<GroupSpec> groups, u32 nr_cpus = 1)
{
	Scenario scenario;
	scenario.machine.nr_cpus = nr_cpus;
	scenario.duration_ns = kToNs;
	scenario.groups = std::move(groups);
	scenario.keep_trace = true;
	return scenario;
}

TaskSpec spinner_in(u32 group, u32 weight = 100)
{
	TaskSpec task;
	task.group = group;
	task.weight = weight;
	return task;
}

void add(Scenario& scenario, u32 number, const TaskSpec& task)
{
	scenario.tasks.insert(scenario.tasks.end(), number, task);
}

// What each task of the scenario got of one CPU.
std::vector<double> shares(const Scenario& scenario, const Outcome& outcome, u64 from_ns = kFromNs, u64 to_ns = kToNs)
{
	std::vector<double> shares;
	for (u32 i = 0; i < scenario.tasks.size(); i++)
		shares.push_back(static_cast<double>(cpu_ns_between(outcome, i, from_ns, to_ns)) /
				 static_cast<double>(to_ns - from_ns));
	return shares;
}

double sum(const std::vector<double>& shares, size_t first, size_t number)
{
	auto begin = shares.begin() + static_cast<std::ptrdiff_t>(first);
	return std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(number), 0.0);
}

TEST(Weight, GroupsShareByTheirWeightsDownTheTree)
{
	// 100 and 300; below the second 200 and 200, of which the first holds two groups of 100 and 50.
	Scenario scenario = machine({{kRootGroup, 100}, {kRootGroup, 300}, {1, 200}, {1, 200}, {2, 100}, {2, 50}});
	scenario.tasks = {spinner_in(0), spinner_in(3), spinner_in(4), spinner_in(5)};
	std::vector<double> got = shares(scenario, simulate(scenario));
	EXPECT_NEAR(got[0], 0.25, 0.02);
	EXPECT_NEAR(got[1], 0.375, 0.02);
	EXPECT_NEAR(got[2], 0.25, 0.02);
	EXPECT_NEAR(got[3], 0.125, 0.02);
}

TEST(Weight, TenInAGroupDoNotOutweighOne)
{
	Scenario scenario = machine({{}, {}});
	scenario.tasks = {spinner_in(0)};
	add(scenario, 10, spinner_in(1));
	EXPECT_NEAR(shares(scenario, simulate(scenario))[0], 0.5, 0.03);
}

// A round takes longer than an epoch: most tasks wait through epochs in which nobody hears of them.
TEST(Weight, NorDoAHundred)
{
	Scenario scenario = machine({{}, {}});
	scenario.duration_ns = 6 * kSecond;  // three rounds until it has settled
	scenario.tasks = {spinner_in(0)};
	add(scenario, 100, spinner_in(1));
	EXPECT_NEAR(shares(scenario, simulate(scenario), 3 * kSecond, 6 * kSecond)[0], 0.5, 0.05);
}

TEST(Weight, TaskBesideGroupsCountsWithItsOwnWeight)
{
	Scenario scenario = machine({{kRootGroup, 300}, {0, 100}});
	scenario.tasks = {spinner_in(kRootGroup), spinner_in(0, 200), spinner_in(1)};
	std::vector<double> got = shares(scenario, simulate(scenario));
	EXPECT_NEAR(got[0], 0.25, 0.02);
	EXPECT_NEAR(got[1], 0.5, 0.02);  // 2/3 of 3/4
	EXPECT_NEAR(got[2], 0.25, 0.02);
}

TEST(Weight, HoldsOnSeveralCpus)
{
	Scenario scenario = machine({{kRootGroup, 100}, {kRootGroup, 300}}, 4);
	add(scenario, 8, spinner_in(0));
	add(scenario, 12, spinner_in(1));
	std::vector<double> got = shares(scenario, simulate(scenario));
	EXPECT_NEAR(sum(got, 0, 8), 1.0, 0.1);
	EXPECT_NEAR(sum(got, 8, 12), 3.0, 0.1);
}

TEST(Weight, ShareOfASleepingGroupGoesToItsSiblingsFirst)
{
	Scenario scenario = machine({{}, {}, {1, 100}, {1, 100}});
	scenario.tasks = {spinner_in(0), spinner_in(2), spinner_in(3)};
	scenario.tasks[2].program = Program::once;
	scenario.tasks[2].run_ns = 300 * kMillisecond;  // done after 1.2 s
	Outcome outcome = simulate(scenario);
	std::vector<double> before = shares(scenario, outcome, kFromNs, 1000 * kMillisecond);
	std::vector<double> after = shares(scenario, outcome, 1500 * kMillisecond, kToNs);
	EXPECT_NEAR(before[1], 0.25, 0.02);
	EXPECT_NEAR(after[1], 0.5, 0.02);
	EXPECT_NEAR(after[0], 0.5, 0.02);  // what it had before
}

// One that sleeps nine tenths of its time is all that its group wants; the rest is not the other's to keep.
TEST(Weight, GroupThatMostlySleepsGetsWhatItWants)
{
	Scenario scenario = machine({{}, {}});
	scenario.tasks = {spinner_in(0)};
	add(scenario, 10, spinner_in(0));
	TaskSpec sleeper = spinner_in(1);
	sleeper.program = Program::sleeper;
	sleeper.run_ns = 2 * kMillisecond;
	sleeper.sleep_ns = 18 * kMillisecond;
	scenario.tasks.push_back(sleeper);
	EXPECT_GT(shares(scenario, simulate(scenario)).back(), 0.07);
}

TEST(Weight, ChangesTakeEffectWithinTwoEpochs)
{
	Scenario scenario = machine({{kRootGroup, 100}, {kRootGroup, 100}});
	scenario.tasks = {spinner_in(0), spinner_in(0), spinner_in(1)};
	scenario.changes = {{1000 * kMillisecond, ChangeKind::set_weight, 1}};
	scenario.changes[0].weight = 300;
	Outcome outcome = simulate(scenario);
	EXPECT_NEAR(shares(scenario, outcome, kFromNs, 1000 * kMillisecond)[2], 0.5, 0.03);
	EXPECT_NEAR(shares(scenario, outcome, 1200 * kMillisecond, kToNs)[2], 0.75, 0.03);
}

TEST(Weight, TaskThatMovesTakesTheShareOfItsNewGroup)
{
	Scenario scenario = machine({{kRootGroup, 100}, {kRootGroup, 300}});
	scenario.tasks = {spinner_in(0), spinner_in(0), spinner_in(1)};
	scenario.changes = {{1000 * kMillisecond, ChangeKind::set_group, 1}};
	scenario.changes[0].group = 1;
	Outcome outcome = simulate(scenario);
	EXPECT_NEAR(shares(scenario, outcome, kFromNs, 1000 * kMillisecond)[0], 0.125, 0.02);
	EXPECT_NEAR(shares(scenario, outcome, 1300 * kMillisecond, kToNs)[0], 0.25, 0.03);
	EXPECT_NEAR(shares(scenario, outcome, 1300 * kMillisecond, kToNs)[1], 0.375, 0.03);
}

// Without groups a task of weight 300 beside one of 100 gets three quarters: of two tasks on a CPU, too.
TEST(Weight, OfTwoTasksTheHeavierKeepsTheCpuUntilTheLighterIsEarlier)
{
	Scenario scenario = machine({});
	scenario.tasks = {spinner_in(kRootGroup), spinner_in(kRootGroup, 300)};
	EXPECT_NEAR(shares(scenario, simulate(scenario))[1], 0.75, 0.02);
}

TEST(Weight, GroupsThatHoldNobodyChangeNothing)
{
	Scenario scenario = machine({}, 2);
	scenario.tasks = {spinner_in(kRootGroup), spinner_in(kRootGroup, 7), spinner_in(kRootGroup, 3000), telemetry()};
	u64 hash = simulate(scenario).trace_hash;
	scenario.groups = {{}, {0, 500}};
	EXPECT_EQ(simulate(scenario).trace_hash, hash);
}

}  // namespace
}  // namespace punctual::sim
