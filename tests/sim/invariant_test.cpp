// SPDX-License-Identifier: GPL-2.0-only
// The invariants of the policy, each on a machine made to strain it. property_test.cpp has them on random ones.
#include <gtest/gtest.h>

#include <algorithm>

#include "scenarios.h"

namespace punctual::sim {
namespace {

Scenario machine(u32 nr_cpus, u64 duration_ns = 100 * kMillisecond)
{
	Scenario scenario;
	scenario.machine.nr_cpus = nr_cpus;
	scenario.duration_ns = duration_ns;
	return scenario;
}

TaskSpec pinned(TaskSpec task, u32 cpu)
{
	task.cpus = {cpu};
	return task;
}

TaskSpec sleeper(u64 run_ns, u64 sleep_ns, u32 class_index = kNoClass)
{
	TaskSpec task;
	task.program = Program::sleeper;
	task.class_index = class_index;
	task.run_ns = run_ns;
	task.sleep_ns = sleep_ns;
	task.varies = true;
	return task;
}

// A packet function and two telemetry processes on one CPU: what punctual is for.
Scenario packets_and_telemetry(u64 budget_ns)
{
	Scenario scenario = machine(1, 200 * kMillisecond);
	scenario.classes = {{budget_ns}};
	scenario.tasks = {packet_function(0), telemetry(), telemetry()};
	return scenario;
}

void expect_nothing_broken(const Outcome& outcome)
{
	for (const std::string& broken : outcome.broken)
		ADD_FAILURE() << broken;
}

TEST(Invariant, I1_NoCpuIdlesWhileATaskItMayRunWaitsInItsCache)
{
	Scenario scenario = machine(4);
	scenario.machine.cpus_per_llc = 2;
	scenario.classes = {{60'000}, {200'000}};
	for (u32 i = 0; i < 10; i++) {  // about as much work as there are CPUs: they go idle and come back all the time
		scenario.tasks.push_back(sleeper(300'000, 500'000, i % 3 == 0 ? kNoClass : i % 3 - 1));
		scenario.tasks.back().unmovable_percent = i % 2 * 20;
	}
	expect_nothing_broken(simulate(scenario));
}

TEST(Invariant, I2_DispatchedBudgetedTaskHasTheEarliestDeadline)
{
	Scenario scenario = machine(3);
	for (u64 budget_ns : {30'000, 100'000, 400'000})
		scenario.classes.push_back({budget_ns});
	for (u32 i = 0; i < 15; i++) {  // more than the CPUs can do: there is always somebody who waits
		TaskSpec task = sleeper(50'000, 100'000, i % 3);
		scenario.tasks.push_back(i % 5 == 0 ? pinned(task, i % 3) : task);
	}
	Outcome outcome = simulate(scenario);
	expect_nothing_broken(outcome);
	EXPECT_GT(outcome.classes[0].waits.count(), 500);
}

TEST(Invariant, I2_TaskThatMayNotRunHereHidesNobody)
{
	Scenario scenario = machine(3);
	scenario.classes = {{30'000}, {400'000}};
	for (u32 i = 0; i < 12; i++) {
		scenario.tasks.push_back(sleeper(50'000, 100'000, i % 2));
		scenario.tasks.back().cpus = i % 3 == 0 ? std::vector<u32>{2} : std::vector<u32>{0, 1};
		if (i % 4 == 1)
			scenario.tasks.back().cpus = {};
	}
	expect_nothing_broken(simulate(scenario));
}

TEST(Invariant, I3_LongestWaitIsTheBudgetAndWhatTheContractAllows)
{
	for (u64 budget_ns : {30'000, 60'000, 200'000}) {
		Scenario scenario = packets_and_telemetry(budget_ns);
		Outcome outcome = simulate(scenario);
		EXPECT_LE(outcome.classes[0].waits.max_ns(), longest_wait_ns(scenario, outcome, 0));
		EXPECT_LE(outcome.classes[0].waits.quantile_ns(0.99), budget_ns);
		EXPECT_EQ(outcome.classes[0].nr_dropped, 0);
		EXPECT_EQ(outcome.nr_floor_granted, 0);  // or the bound would be nothing but the grain
	}
}

TEST(Invariant, I3_OfEachOfSeveralClassesOnSharedCpus)
{
	Scenario scenario = machine(2, 200 * kMillisecond);
	scenario.machine.cpus_per_llc = 2;
	for (u64 budget_ns : {60'000, 150'000, 600'000})
		scenario.classes.push_back({budget_ns});
	for (u32 i = 0; i < 3; i++)
		scenario.tasks.push_back(packet_function(i, 40'000ULL * (i + 1)));
	for (u32 i = 0; i < 5; i++)
		scenario.tasks.push_back(telemetry());
	Outcome outcome = simulate(scenario);
	for (u32 i = 0; i < 3; i++)
		EXPECT_LE(outcome.classes[i].waits.max_ns(), longest_wait_ns(scenario, outcome, i)) << "class " << i;
}

// With and without a class that never sleeps and is over its cap nearly all the time.
TEST(Invariant, I4_ClassOverItsCapHarmsOnlyItself)
{
	Scenario scenario = packets_and_telemetry(60'000);
	scenario.classes.push_back({50'000, 1});
	u64 calm_ns = simulate(scenario).classes[0].waits.quantile_ns(0.99);
	scenario.tasks.push_back(spinner(1));
	u64 with_runaway_ns = simulate(scenario).classes[0].waits.quantile_ns(0.99);
	EXPECT_LE(with_runaway_ns, std::max<u64>(60'000, calm_ns + calm_ns / 20));
}

// Without a cap the floor slows the runaway, and that moves others by a grain at most.
TEST(Invariant, I4_RunawayWithoutACapMovesOthersByNoMoreThanAGrain)
{
	Scenario scenario = packets_and_telemetry(60'000);
	scenario.classes.push_back({50'000});
	scenario.tasks.push_back(spinner(1));
	Outcome outcome = simulate(scenario);
	EXPECT_LE(outcome.classes[0].waits.max_ns(), longest_wait_ns(scenario, outcome, 0));
	EXPECT_LE(outcome.classes[0].waits.quantile_ns(0.90), 60'000);
}

// While the runaway uses up its 30 % the floor runs a debt; others are not to pay for it.
TEST(Invariant, I4_ClassThatUsesUpALargeCapHarmsOnlyItself)
{
	Scenario scenario = packets_and_telemetry(60'000);
	scenario.classes.push_back({50'000, 30});
	scenario.tasks.push_back(spinner(1));
	EXPECT_LE(simulate(scenario).classes[0].waits.quantile_ns(0.99), 60'000);
}

TEST(Invariant, I4_ClassOverItsCapGetsNoMoreThanThatAndItsShareAsANormalOne)
{
	Scenario scenario = machine(1, 500 * kMillisecond);
	scenario.classes = {{50'000, 20}};
	scenario.tasks = {spinner(0), spinner(), spinner()};
	Outcome outcome = simulate(scenario);
	// 20 % with its budget, and a third of the other 80 %; 5 % for what a tick is late.
	EXPECT_LE(outcome.tasks[0].cpu_ns, scenario.duration_ns * 52 / 100);
	EXPECT_GE(outcome.tasks[1].cpu_ns, scenario.duration_ns * 20 / 100);
}

TEST(Invariant, I5_NormalTasksKeepTheFloorInEveryWindowAgainstAHundredBudgetedSpinners)
{
	Scenario scenario = machine(2, 450 * kMillisecond);
	scenario.keep_trace = true;
	scenario.classes = {{1'000'000}, {100'000}};
	for (u32 i = 0; i < 100; i++)
		scenario.tasks.push_back(spinner(i % 2));
	for (u32 cpu : {0, 1, 0})
		scenario.tasks.push_back(pinned(telemetry(), cpu));
	Outcome outcome = simulate(scenario);
	u64 window_ns = scenario.latency.floor_window_ns;
	for (u32 cpu : {0, 1})  // from the first tick on: until then nobody knows that the floor is needed
		EXPECT_GE(least_normal_ns(outcome, cpu, window_ns, 5 * kMillisecond, scenario.duration_ns),
			  window_ns * scenario.latency.floor_percent / 100)
		    << "CPU " << cpu;
	expect_nothing_broken(outcome);
}

// It stays on its CPU's own queue when it is preempted, where no queue of ours shows that it waits.
TEST(Invariant, I5_SingleNormalTaskKeepsTheFloorBesideARunaway)
{
	Scenario scenario = machine(1, 450 * kMillisecond);
	scenario.keep_trace = true;
	scenario.classes = {{100'000}};
	scenario.tasks = {spinner(0), spinner()};
	u64 window_ns = scenario.latency.floor_window_ns;
	EXPECT_GE(least_normal_ns(simulate(scenario), 0, window_ns, 5 * kMillisecond, scenario.duration_ns),
		  window_ns * scenario.latency.floor_percent / 100);
}

// A runaway that left for the floor came back when the reserve before its deadline began: at once, where that is as
// long as the budget. The floor is paid by half grains or more all the same.
TEST(Invariant, I9_FloorCostsFewSwitchesHoweverLongTheReserve)
{
	Scenario scenario = machine(1, 450 * kMillisecond);
	scenario.classes = {{100'000}};
	scenario.tasks = {spinner(0), spinner(), spinner()};
	scenario.latency.switch_ns = 90 * kMicrosecond;
	Outcome outcome = simulate(scenario);
	u64 floor_ns = scenario.duration_ns * scenario.latency.floor_percent / 100;
	u64 nr_grains = floor_ns / scenario.latency.grain_ns;
	EXPECT_LE(outcome.nr_preempted[0], 6 * nr_grains);  // there and back for each half, and half as many again
}

TEST(Invariant, I6_ClaimedIdleCpuIsUsedOrGivenBack)
{
	Scenario scenario = machine(8);
	scenario.machine.costs.ipi_ns = 5'000;  // long enough that another CPU takes the task meanwhile
	scenario.classes = {{60'000}};
	for (u32 i = 0; i < 24; i++) {
		scenario.tasks.push_back(sleeper(8'000, 60'000, i % 2 ? 0 : kNoClass));
		if (i % 4 == 0)
			scenario.tasks.back().cpus = {i % 8};
	}
	expect_nothing_broken(simulate(scenario));
}

TEST(Invariant, I7_EveryQueueIsPolledThroughHotplugMasksAndPinning)
{
	Scenario scenario = machine(4, 300 * kMillisecond);
	scenario.machine.cpus_per_llc = 2;
	scenario.classes = {{60'000}};
	for (u32 i = 0; i < 12; i++) {
		scenario.tasks.push_back(i % 3 ? spinner() : sleeper(50'000, 50'000, 0));
		scenario.tasks.back().unmovable_percent = 20;
	}
	for (u32 i = 0; i < 12; i++)
		scenario.changes.push_back({(20 + 5 * i) * kMillisecond, ChangeKind::set_cpus, i, {i % 4}});
	scenario.changes.push_back({100 * kMillisecond, ChangeKind::cpu_offline, 1});  // with tasks pinned to it
	scenario.changes.push_back({150 * kMillisecond, ChangeKind::cpu_offline, 2});
	scenario.changes.push_back({200 * kMillisecond, ChangeKind::cpu_online, 1});
	scenario.keep_trace = true;
	Outcome outcome = simulate(scenario);
	expect_nothing_broken(outcome);
	for (u32 i = 0; i < 12; i++)
		EXPECT_GT(cpu_ns_between(outcome, i, 205 * kMillisecond, scenario.duration_ns), 0) << "task " << i;
}

TEST(Invariant, I8_TaskIsInExactlyOnePlaceThroughForksAndExits)
{
	Scenario scenario = machine(4, 200 * kMillisecond);
	scenario.classes = {{60'000}};
	TaskSpec storm = sleeper(100'000, 300'000);
	storm.program = Program::forks;
	scenario.tasks = {storm, storm, packet_function(0), telemetry()};
	scenario.tasks[1].class_index = 0;
	scenario.changes = {{100 * kMillisecond, ChangeKind::cpu_offline, 2}};
	Outcome outcome = simulate(scenario);
	expect_nothing_broken(outcome);
	EXPECT_GT(outcome.nr_forked, 500);
}

// A task that became runnable takes the CPU from a normal one a slack later at the earliest: so often, no more.
TEST(Invariant, I9_PreemptionsStayUnderTheRateThatSlackImplies)
{
	for (u64 budget_ns : {60'000, 100'000, 400'000}) {
		Scenario scenario = packets_and_telemetry(budget_ns);
		Outcome outcome = simulate(scenario);
		u64 slack_ns = budget_ns - outcome.reserve_ns_max;
		EXPECT_LE(outcome.nr_preempted[0], scenario.duration_ns / slack_ns) << "budget " << budget_ns;
		EXPECT_GT(outcome.nr_preempted[0], 100) << "budget " << budget_ns;
	}
}

// The same packets at the same times. The tolerance is what decides when a timer is late, and for how long the
// running task cannot be preempted: with another budget another moment is met. Both are far smaller than a budget.
TEST(Invariant, I10_SmallerBudgetNeverRaisesTheClassP99)
{
	u64 tolerance_ns = 2'000;
	u64 larger_ns = ~0ULL >> 1;
	for (u64 budget_ns : {640'000, 320'000, 160'000, 120'000, 80'000, 60'000, 40'000, 30'000, 20'000, 10'000}) {
		u64 p99_ns = simulate(packets_and_telemetry(budget_ns)).classes[0].waits.quantile_ns(0.99);
		EXPECT_LE(p99_ns, larger_ns + tolerance_ns) << "budget " << budget_ns;
		larger_ns = p99_ns;
	}
}

TEST(Invariant, I11_SameSeedGivesTheSameTrace)
{
	Scenario scenario = random_scenario(7);
	u64 hash = simulate(scenario).trace_hash;
	EXPECT_EQ(simulate(scenario).trace_hash, hash);
	scenario.audit = false;  // who watches does not disturb
	EXPECT_EQ(simulate(scenario).trace_hash, hash);
	scenario.seed++;
	EXPECT_NE(simulate(scenario).trace_hash, hash);
}

TEST(Invariant, I12_WrapOfVirtualTimeChangesNothing)
{
	Scenario scenario = machine(2);
	scenario.tasks = {spinner(), spinner(), spinner(), sleeper(100'000, 1'000'000), sleeper(2'000'000, 100'000)};
	scenario.tasks[0].weight = 1;
	u64 hash = simulate(scenario).trace_hash;
	scenario.latency.vtime_first = ~0ULL - 10 * kMillisecond + 1;  // wraps in the run
	EXPECT_EQ(simulate(scenario).trace_hash, hash);
}

TEST(Invariant, I12_WrapOfPidsChangesNothing)
{
	Scenario scenario = machine(2);
	TaskSpec storm = sleeper(100'000, 300'000);
	storm.program = Program::forks;
	scenario.tasks = {storm, telemetry(), pinned(telemetry(), 0)};
	u64 hash = simulate(scenario).trace_hash;
	scenario.machine.pid_max = 50'000;
	scenario.machine.pid_first = 49'990;
	EXPECT_EQ(simulate(scenario).trace_hash, hash);
}

TEST(Invariant, I12_SmallestAndLargestBudget)
{
	for (u64 budget_ns : {BUDGET_NS_MIN, BUDGET_NS_MAX}) {
		Scenario scenario = packets_and_telemetry(budget_ns);
		Outcome outcome = simulate(scenario);
		expect_nothing_broken(outcome);
		EXPECT_LE(outcome.classes[0].waits.max_ns(), longest_wait_ns(scenario, outcome, 0));
		EXPECT_GT(outcome.tasks[1].cpu_ns, 0);
	}
}

TEST(Invariant, I12_AThousandCpus)
{
	Scenario scenario = machine(CPUS_MAX, 10 * kMillisecond);
	scenario.machine.cpus_per_llc = 16;
	scenario.machine.llcs_per_node = 8;
	scenario.classes = {{60'000}};
	for (u32 i = 0; i < CPUS_MAX; i++) {
		scenario.tasks.push_back(sleeper(100'000, 300'000, 0));
		scenario.tasks.push_back(spinner());
	}
	Outcome outcome = simulate(scenario);
	expect_nothing_broken(outcome);
	EXPECT_LE(outcome.classes[0].waits.quantile_ns(0.95), 60'000);  // caches do not share what is queued
}

TEST(Invariant, I13_EjectedEveryTaskIsBackInTheKernelsOwnQueueAndRuns)
{
	Scenario scenario = machine(3, 200 * kMillisecond);
	scenario.classes = {{60'000}};
	for (u32 i = 0; i < 9; i++)
		scenario.tasks.push_back(i % 3 ? spinner(i % 2 ? 0 : kNoClass) : sleeper(100'000, 200'000, 0));
	scenario.tasks[4].cpus = {1};
	scenario.changes = {{50 * kMillisecond, ChangeKind::eject}};
	scenario.keep_trace = true;
	Outcome outcome = simulate(scenario);
	expect_nothing_broken(outcome);
	EXPECT_EQ(outcome.nr_ejected, 1);
	for (u32 i = 0; i < 9; i++)
		EXPECT_GT(cpu_ns_between(outcome, i, 51 * kMillisecond, 150 * kMillisecond), 0) << "task " << i;
}

}  // namespace
}  // namespace punctual::sim
