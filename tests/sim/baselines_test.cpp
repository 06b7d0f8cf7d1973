// SPDX-License-Identifier: GPL-2.0-only
// The schedulers that scx_latency is compared with: what each promises, and what each is known for.
#include <gtest/gtest.h>

#include "scenarios.h"
#include "sim/eevdf.h"
#include "sim/fair_shell.h"
#include "sim/load.h"

namespace punctual::sim {
namespace {

PolicyChoice policy_named(const char* name)
{
	const auto policies = parse_policies(name);
	return policies ? (*policies)[0] : PolicyChoice();
}

constexpr PolicyKind kBaselines[] = {PolicyKind::eevdf, PolicyKind::realtime, PolicyKind::queue};

Scenario machine(PolicyKind policy, u32 nr_cpus, u64 duration_ns)
{
	Scenario scenario;
	scenario.policy = policy;
	scenario.machine.nr_cpus = nr_cpus;
	scenario.machine.cpus_per_llc = 4;
	scenario.duration_ns = duration_ns;
	scenario.classes = {{60'000}};
	return scenario;
}

u64 cpu_ns(const Outcome& outcome)
{
	u64 sum_ns = 0;
	for (const TaskRecord& task : outcome.tasks)
		sum_ns += task.cpu_ns;
	return sum_ns;
}

// Of kernel/sched/fair.c by hand: two equal entities, one 1 ms ahead, so the average lies in the middle.
TEST(Eevdf, OnlyWhoIsNotAheadOfTheAverageIsEligible)
{
	FairQueue queue;
	FairEntity ahead, behind;
	ahead.vruntime = 2'000'000;
	behind.vruntime = 1'000'000;
	ahead.deadline = 2'100'000;
	behind.deadline = 9'000'000;
	queue.enqueue(ahead);
	queue.enqueue(behind);
	EXPECT_EQ(queue.average(), 1'500'000);
	EXPECT_TRUE(queue.is_eligible(behind));
	EXPECT_FALSE(queue.is_eligible(ahead));
	EXPECT_EQ(queue.pick(true), &behind);  // although the other one has the earlier deadline
}

TEST(Eevdf, SleeperComesBackWithTheLagItLeftWith)
{
	const FairLimits limits = {700'000, 4'000'000};
	FairQueue queue;
	FairEntity stays, sleeps;
	stays.vruntime = 1'400'000;
	sleeps.vruntime = 1'000'000;
	sleeps.slice_ns = stays.slice_ns = limits.base_slice_ns;
	queue.enqueue(stays);
	queue.enqueue(sleeps);
	EXPECT_TRUE(queue.dequeue(sleeps, true, true, limits));
	EXPECT_EQ(sleeps.vlag, 200'000);
	queue.place(sleeps, false, limits);
	queue.enqueue(sleeps);
	EXPECT_EQ(queue.average() - sleeps.vruntime, 200'000);  // also after its coming has moved the average
}

TEST(Eevdf, WhoOwesStaysQueuedUntilItDoesNot)
{
	const FairLimits limits = {700'000, 4'000'000};
	FairQueue queue;
	FairEntity runs, owes;
	owes.vruntime = 500'000;
	owes.slice_ns = runs.slice_ns = limits.base_slice_ns;
	queue.enqueue(runs);
	queue.enqueue(owes);
	EXPECT_FALSE(queue.dequeue(owes, true, true, limits));
	EXPECT_TRUE(owes.is_delayed);
	queue.set_curr(&runs);
	queue.update_curr(1'200'000, limits);
	EXPECT_EQ(queue.pick(true), &owes);  // and then it goes
	EXPECT_TRUE(queue.dequeue(owes, true, true, limits));
	EXPECT_EQ(owes.vlag, 0);
}

TEST(Eevdf, TimeIsSharedByWeight)
{
	Scenario scenario = machine(PolicyKind::eevdf, 1, 4 * kSecond);
	scenario.tasks = {spinner(), spinner(), spinner()};
	scenario.tasks[0].weight = 300;
	const Outcome outcome = simulate(scenario);
	EXPECT_NEAR(static_cast<double>(outcome.tasks[0].cpu_ns) / 4e9, 0.6, 0.02);
	EXPECT_NEAR(static_cast<double>(outcome.tasks[1].cpu_ns) / 4e9, 0.2, 0.02);
}

// A group with one task against a group with three: halves, and within the other thirds of the half.
TEST(Eevdf, GroupsShareBeforeTheirTasksDo)
{
	Scenario scenario = machine(PolicyKind::eevdf, 1, 4 * kSecond);
	scenario.groups = {{}, {}};
	scenario.tasks = {spinner(), spinner(), spinner(), spinner()};
	for (u32 i = 0; i < 4; i++)
		scenario.tasks[i].group = i == 0 ? 0 : 1;
	const Outcome outcome = simulate(scenario);
	EXPECT_NEAR(static_cast<double>(outcome.tasks[0].cpu_ns) / 4e9, 0.5, 0.02);
	EXPECT_NEAR(static_cast<double>(outcome.tasks[3].cpu_ns) / 4e9, 1.0 / 6, 0.02);
}

TEST(Eevdf, SlicesGrowWithTheMachineAsTheKernelsDo)
{
	EXPECT_EQ(FairShell::base_slice_ns(1), 700'000U);
	EXPECT_EQ(FairShell::base_slice_ns(2), 1'400'000U);
	EXPECT_EQ(FairShell::base_slice_ns(8), 2'800'000U);
	EXPECT_EQ(FairShell::base_slice_ns(1024), 2'800'000U);
}

TEST(Realtime, PacketFunctionNeverWaitsForNormalWork)
{
	Scenario scenario = machine(PolicyKind::realtime, 1, kSecond);
	scenario.tasks = {packet_function(0), spinner(), spinner()};
	const Outcome outcome = simulate(scenario);
	EXPECT_EQ(outcome.classes[0].nr_dropped, 0U);
	EXPECT_LE(outcome.classes[0].waits.max_ns(),
		  scenario.machine.costs.ipi_ns + 2 * scenario.machine.costs.switch_ns);
}

TEST(Queue, WhoWakesUpWaitsForWholeTurns)
{
	Scenario scenario = machine(PolicyKind::queue, 1, kSecond);
	scenario.tasks = {packet_function(0), spinner(), spinner()};
	EXPECT_GE(simulate(scenario).classes[0].waits.quantile_ns(0.5), 2 * 20 * kMillisecond);
}

TEST(Baselines, NoCpuIdlesWhileThereIsWorkForIt)
{
	for (PolicyKind policy : kBaselines) {
		Scenario scenario = machine(policy, 16, 200 * kMillisecond);
		for (u32 i = 0; i < 48; i++)
			scenario.tasks.push_back(spinner(i % 3 ? kNoClass : 0));
		EXPECT_GE(cpu_ns(simulate(scenario)), 16 * scenario.duration_ns * 98 / 100)
		    << "policy " << static_cast<int>(policy);
	}
}

TEST(Baselines, SameSeedGivesTheSameTraceOnRandomMachines)
{
	for (PolicyKind policy : kBaselines)
		for (u64 seed = 1; seed <= 100; seed++) {
			Scenario scenario = random_scenario(seed);
			scenario.policy = policy;
			EXPECT_EQ(simulate(scenario).trace_hash, simulate(scenario).trace_hash) << "seed " << seed;
		}
}

// The load of the bench on one CPU, as the lab has it (docs/performance.md); wide, as this is not where the fit is
// judged.
TEST(Baselines, BenchOnOneCpuLooksAsInTheLab)
{
	SimLoad load;
	load.places = *parse_topology("1");
	const auto run = [&](const char* policy) {
		return simulate(scenario_of(load, policy_named(policy), default_costs(), 1, 0));
	};
	const Outcome eevdf = run("eevdf"), fifo = run("fifo"), ours = run("scx_latency=60us");
	EXPECT_NEAR(static_cast<double>(eevdf.classes[0].packets.quantile_ns(0.99)), 7.0e6, 1.0e6);
	EXPECT_GT(eevdf.classes[0].nr_dropped, 3'000U);
	EXPECT_NEAR(static_cast<double>(fifo.classes[0].packets.quantile_ns(0.99)), 7'450, 400);
	EXPECT_NEAR(static_cast<double>(ours.classes[0].packets.quantile_ns(0.99)), 54'600, 4'000);
	EXPECT_EQ(ours.classes[0].nr_dropped, 0U);
}

}  // namespace
}  // namespace punctual::sim
