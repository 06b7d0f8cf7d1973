// SPDX-License-Identifier: GPL-2.0-only
// Nobody waits for much longer than a second, whatever the order of the queues says.
#include <gtest/gtest.h>

#include "scenarios.h"

namespace punctual::sim {
namespace {

// Its fair turn would come after some four seconds: a turn of 4 ms at this weight is paid for by 400 ms of the others
// each.
Scenario feather_among(u32 spinners)
{
	Scenario scenario;
	scenario.duration_ns = 6 * kSecond;
	for (u32 i = 0; i <= spinners; i++)
		scenario.tasks.push_back(spinner());
	scenario.tasks[0].weight = 1;
	scenario.keep_trace = true;
	return scenario;
}

// Until the end, for one that never comes again.
u64 longest_pause_ns(const Scenario& scenario, const Outcome& outcome, u32 task)
{
	u64 longest_ns = 0;
	u64 end_ns = 0;
	for (const Run& run : outcome.runs) {
		if (run.task != task)
			continue;
		longest_ns = std::max(longest_ns, run.start_ns - end_ns);
		end_ns = run.end_ns;
	}
	return std::max(longest_ns, scenario.duration_ns - end_ns);
}

TEST(Starvation, WhoeverHasWaitedForASecondGoesFirst)
{
	for (u32 nr_cpus : {1, 2}) {  // in the CPU's own queue, and in that of the cache
		Scenario scenario = feather_among(10 * nr_cpus);
		scenario.machine.nr_cpus = nr_cpus;
		Outcome outcome = simulate(scenario);
		EXPECT_LE(longest_pause_ns(scenario, outcome, 0), 1'200 * kMillisecond) << nr_cpus << " CPUs";
		EXPECT_GE(outcome.nr_starved, 4) << nr_cpus << " CPUs";
		EXPECT_TRUE(outcome.broken.empty());
	}
}

// One look finds one of them: the next comes as soon as that one was served. A runaway leaves them a tenth of the CPU.
TEST(Starvation, ManyWhoStarveAreServedOneAfterTheOther)
{
	Scenario scenario = feather_among(40);
	for (u32 task = 0; task < 30; task++)
		scenario.tasks[task].weight = 1;
	scenario.classes = {{100'000}};
	scenario.tasks.push_back(spinner(0));
	Outcome outcome = simulate(scenario);
	for (u32 task = 0; task < 30; task++)
		EXPECT_LE(longest_pause_ns(scenario, outcome, task), 2'500 * kMillisecond) << "task " << task;
}

TEST(Starvation, NobodyIsSaidToStarveWhoGetsHisTurns)
{
	Scenario scenario = feather_among(10);
	scenario.tasks[0].weight = 100;
	EXPECT_EQ(simulate(scenario).nr_starved, 0);
}

}  // namespace
}  // namespace punctual::sim
