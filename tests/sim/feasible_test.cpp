// SPDX-License-Identifier: GPL-2.0-only
// What is said of budgets that can, and that cannot, be kept. Others than our tasks are not simulated.
#include <gtest/gtest.h>

#include "policy/feasible.h"
#include "scenarios.h"

namespace punctual::sim {
namespace {

Scenario one_cpu(std::vector<ClassSpec> classes, std::vector<TaskSpec> tasks)
{
	Scenario scenario;
	scenario.duration_ns = 550 * kMillisecond;
	scenario.classes = std::move(classes);
	scenario.tasks = std::move(tasks);
	return scenario;
}

TaskSpec packets_of(u64 interval_ns, u64 run_ns, u32 class_index = 0)
{
	TaskSpec task = packet_function(class_index, interval_ns);
	task.nic.arrivals = Arrivals::constant;
	task.run_ns = run_ns;
	return task;
}

class_verdict verdict_of(const Scenario& scenario, u32 class_index = 0)
{
	return simulate(scenario).classes[class_index].verdict;
}

// 100,000 packets a second of 10 us each: it never sleeps, so there are no waits.
TEST(Infeasible, ClassThatNeverSleepsAsksForMoreCpuThanThereIs)
{
	for (u64 run_ns : {10'000, 30'000}) {
		class_verdict verdict = verdict_of(one_cpu({{60'000}}, {packets_of(10'000, run_ns), spinner()}));
		EXPECT_GE(verdict.nr_infeasible, 3);
		EXPECT_EQ(verdict.reason_now, INFEASIBLE_NOT_ENOUGH_CPU);
		EXPECT_GE(verdict.ran_ns * 100 / verdict.length_ns, 80);  // and the floor has the rest
		EXPECT_EQ(verdict.wait_ns_min, FEASIBLE_NO_WAIT);
	}
}

TEST(Infeasible, ClassOverItsCap)
{
	Scenario scenario = one_cpu({{60'000, 5}}, {packets_of(100'000, 30'000), spinner()});
	EXPECT_EQ(verdict_of(scenario).reason_now, INFEASIBLE_OVER_CAP);
	scenario.classes[0].cap_percent = 40;
	EXPECT_EQ(verdict_of(scenario).nr_infeasible, 0);
}

// Six packet functions of 20 % each: each sleeps now and then, together they ask for 120 %.
TEST(Infeasible, TasksOfAClassThatTogetherAskForMoreThanTheCpu)
{
	Scenario scenario = one_cpu({{30'000}}, {spinner()});
	for (u32 i = 0; i < 6; i++)
		scenario.tasks.push_back(packets_of(400'000, 80'000));
	class_verdict verdict = verdict_of(scenario);
	EXPECT_GE(verdict.nr_infeasible, 3);
	EXPECT_EQ(verdict.reason_now, INFEASIBLE_NOT_ENOUGH_CPU);
}

TEST(Infeasible, ClassThatAsksForNothingIsFeasible)
{
	Scenario scenario = one_cpu({{60'000}, {60'000}}, {packets_of(10'000, 30'000), spinner()});
	class_verdict quiet = verdict_of(scenario, 1);
	EXPECT_EQ(quiet.nr_infeasible, 0);
	EXPECT_GE(quiet.nr_windows, 4);
}

TEST(Infeasible, NeverOfAPacketFunctionBesideTelemetry)
{
	for (u64 budget_ns : {30'000, 60'000, 1'000'000}) {
		Scenario scenario = one_cpu({{budget_ns}}, {packet_function(0), telemetry(), telemetry()});
		EXPECT_EQ(verdict_of(scenario).nr_infeasible, 0) << "budget " << budget_ns;
	}
}

// A runaway without a cap moves the others by a grain now and then. That is not what makes a budget infeasible.
TEST(Infeasible, NeverOfTheClassBesideARunaway)
{
	Scenario scenario = one_cpu({{60'000}, {50'000}}, {packet_function(0), telemetry(), telemetry(), spinner(1)});
	Outcome outcome = simulate(scenario);
	EXPECT_EQ(outcome.classes[0].verdict.nr_infeasible, 0);
	EXPECT_EQ(outcome.classes[1].verdict.reason_now, INFEASIBLE_NOT_ENOUGH_CPU);
}

}  // namespace
}  // namespace punctual::sim
