// SPDX-License-Identifier: GPL-2.0-only
// Several classes on one CPU: each within its own budget, wherever their phases happen to lie.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "scenarios.h"
#include "sim/random.h"

namespace punctual::sim {
namespace {

constexpr u32 kStarts = 50;

TaskSpec packets_of(u32 class_index, Arrivals arrivals, u64 interval_ns, u64 run_ns, u64 start_ns)
{
	TaskSpec task = packet_function(class_index, interval_ns);
	task.nic.arrivals = arrivals;
	task.run_ns = run_ns;
	task.start_ns = start_ns;
	return task;
}

// 20 us, 60 us and 1 ms, of which each is woken often enough to meet the others in all ways.
Scenario three_classes(u64 seed, Arrivals arrivals)
{
	Random random(seed);
	Scenario scenario;
	scenario.seed = seed;
	scenario.duration_ns = 2 * kSecond;
	scenario.machine.costs.switch_ns = 3'000;
	scenario.machine.costs.timer_late_ns = 3'000;
	scenario.classes = {{20'000}, {60'000}, {1'000'000}};
	scenario.tasks = {packets_of(0, arrivals, 200'000, 5'000, random.below(kMillisecond)),
			  packets_of(1, arrivals, 50'000, 4'500, random.below(kMillisecond)),
			  packets_of(2, arrivals, 1'000'000, 22'000, random.below(kMillisecond)), spinner(), spinner()};
	scenario.audit = false;
	return scenario;
}

// The histogram knows a wait to a hundredth; the switch is the CPU's, and not of the wait for it.
void expect_kept(const Scenario& scenario, std::initializer_list<u32> classes)
{
	Outcome outcome = simulate(scenario);
	for (u32 i : classes) {
		const u64 wait_ns = outcome.classes[i].waits.quantile_ns(0.999) - scenario.machine.costs.switch_ns;
		EXPECT_LE(wait_ns, scenario.classes[i].budget_ns * 101 / 100)
		    << fmt::format("seed {}, class {}", scenario.seed, i);
	}
}

TEST(Classes, EachIsWithinItsBudgetAtTheThousandth)
{
	for (u64 seed = 1; seed <= kStarts; seed++)
		expect_kept(three_classes(seed, seed % 2 ? Arrivals::constant : Arrivals::poisson), {0, 1, 2});
}

TEST(Classes, RunawayBesideThemMakesNoneLate)
{
	for (u64 seed = 1; seed <= kStarts; seed++) {
		Scenario scenario = three_classes(seed, seed % 2 ? Arrivals::constant : Arrivals::poisson);
		scenario.tasks.push_back(spinner(1));
		expect_kept(scenario, {0, 2});
	}
}

}  // namespace
}  // namespace punctual::sim
