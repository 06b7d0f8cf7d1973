// SPDX-License-Identifier: GPL-2.0-only
// The load of `punctual sim`, its costs and its policies as text, and what a machine's parts do.
#include <gtest/gtest.h>

#include "scenarios.h"
#include "sim/load.h"

namespace punctual::sim {
namespace {

PolicyChoice policy_named(const char* name)
{
	const auto policies = parse_policies(name);
	return policies ? (*policies)[0] : PolicyChoice();
}

TEST(Policies, AreReadAndWrongOnesNameTheChoices)
{
	const auto policies = parse_policies("eevdf,scx_latency=60us,queue");
	ASSERT_TRUE(policies);
	ASSERT_EQ(policies->size(), 3U);
	EXPECT_EQ((*policies)[1].budget_ns, 60'000U);
	for (const char* text : {"", "eevdf,", "cfs", "scx_latency", "scx_latency=", "scx_latency=0", "scx_latency=2s",
				 "scx_latency=x", "eevdf fifo"})
		EXPECT_FALSE(parse_policies(text)) << text;
}

TEST(Costs, AreReadBackAsTheyWereWritten)
{
	CostTable costs = default_costs();
	costs.eevdf.wakeup_ns = 4711;
	costs.latency.smt_percent = 62;
	const auto read = parse_costs(costs_toml(costs), "costs.toml");
	ASSERT_TRUE(read) << read.error().what;
	EXPECT_EQ(costs_toml(*read), costs_toml(costs));
}

TEST(Costs, WrongFilesAreRefusedWithLineAndKey)
{
	for (const char* text :
	     {"[eevdf]\nwakeup = 1", "[eevdf]\nwakeup_ns = -1", "[eevdf]\nwakeup_ns = '1'", "[cfs]\n", "eevdf = 1",
	      "[eevdf]\nsmt_percent = 0", "[eevdf]\nsmt_percent = 101", "[eevdf\n", "origin = 1", "x2\xc3\x8f = 1",
	      "[eevdf]\nwakeup_ns = 1\"\xc3\x8f\"", "origin = \"\xc3\x8f\"", "[eevdf]\nwakeup_ns = 99999999999"}) {
		const auto costs = parse_costs(text, "costs.toml");
		ASSERT_FALSE(costs) << text;
		EXPECT_EQ(costs.error().code, ExitCode::usage);
		EXPECT_TRUE(costs.error().what.starts_with("costs.toml:")) << costs.error().what;
	}
}

u64 packets_in_a_second(const NicSpec& nic)
{
	PacketRing ring;
	u64 number = 0;
	ring.start(nic, Random(1), 0, kSecond);
	for (; ring.next_ns() != ~0ULL; number++) {
		ring.admit(ring.next_ns(), 0);
		while (!ring.empty())
			ring.pop(), number++;
		number--;
	}
	return number;
}

TEST(Arrivals, EachKindBringsTheRateThatWasAskedFor)
{
	for (const char* text : {"constant", "poisson", "bursts:8", "on-off", "mmpp"}) {
		NicSpec nic;
		ASSERT_TRUE(parse_sim_arrivals(text, &nic)) << text;
		nic.interval_ns = 10'000 * nic.burst;
		EXPECT_NEAR(static_cast<double>(packets_in_a_second(nic)), 100'000, 15'000) << text;
	}
	NicSpec nic;
	for (const char* text : {"", "bursts:", "bursts:1", "bursts:x", "poisson:2", "burst"})
		EXPECT_FALSE(parse_sim_arrivals(text, &nic)) << text;
}

TEST(Machine, ThreadsOfACoreSlowEachOtherDown)
{
	Scenario scenario;
	scenario.audit = false;
	scenario.duration_ns = kSecond;
	scenario.machine.places = *parse_topology("1x1x2x2");
	scenario.machine.nr_cpus = 4;
	scenario.machine.costs.smt_percent = 60;
	const auto work_of = [&](u32 nr_spinners) {
		scenario.tasks.assign(nr_spinners, spinner());
		for (TaskSpec& task : scenario.tasks)
			task.start_ns = kMillisecond;  // when the CPUs are known to be idle
		u64 work_ns = 0;
		for (const TaskRecord& task : simulate(scenario).counted)
			work_ns += task.own_work_ns;
		return static_cast<double>(work_ns) / 1e9;
	};
	EXPECT_NEAR(work_of(2), 2.0, 0.02);  // a core each
	EXPECT_NEAR(work_of(4), 2.4, 0.02);
}

TEST(Machine, InterruptsTakeTheirTimeFromWhoeverRuns)
{
	Scenario scenario;
	scenario.audit = false;
	scenario.duration_ns = kSecond;
	scenario.machine.hz = 1000;
	scenario.tasks = {spinner()};
	const u64 without_ns = simulate(scenario).counted[0].own_work_ns;
	scenario.machine.costs.tick_ns = 10'000;
	const u64 with_ns = simulate(scenario).counted[0].own_work_ns;
	EXPECT_NEAR(static_cast<double>(without_ns - with_ns), 1000 * 10'000.0, 50'000.0);
}

TEST(Machine, CardThatWaitsGathersPackets)
{
	SimLoad load;
	load.places = *parse_topology("1");
	const PolicyChoice fifo = policy_named("fifo");
	const u64 alone = simulate(scenario_of(load, fifo, default_costs(), 1, 0)).counted[0].nr_sleeps;
	load.nic.coalesce_ns = 50'000;
	EXPECT_LT(simulate(scenario_of(load, fifo, default_costs(), 1, 0)).counted[0].nr_sleeps, alone / 2);
}

TEST(Load, AnotherPolicyMeetsTheSamePackets)
{
	SimLoad load;
	load.places = *parse_topology("1x1x2x1");
	ASSERT_TRUE(parse_sim_arrivals("poisson", &load.nic));
	u64 offered = 0;
	for (const char* name : {"eevdf", "fifo", "queue", "scx_latency=60us"}) {
		const PolicyChoice policy = policy_named(name);
		const Outcome outcome = simulate(scenario_of(load, policy, default_costs(), 7, 3));
		EXPECT_NEAR(static_cast<double>(outcome.classes[0].nr_offered), 60'000.0, 1'500.0) << policy.name;
		offered = offered ? offered : outcome.classes[0].nr_offered;
		if (policy.kind != PolicyKind::queue) {
			{  // which leaves some in the ring at the end
				EXPECT_EQ(outcome.classes[0].nr_offered, offered) << policy.name;
			}
		}
	}
}

TEST(Watcher, EndsARunWhereItIs)
{
	SimLoad load;
	load.places = *parse_topology("1");
	load.warmup_ns = 0;
	const Scenario scenario = scenario_of(load, policy_named("fifo"), default_costs(), 1, 0);
	const Outcome outcome = simulate(scenario, [](u64 now_ns) { return now_ns < kSecond / 2; });
	EXPECT_GE(outcome.stopped_ns, kSecond / 2);
	EXPECT_LT(outcome.stopped_ns, kSecond);
	EXPECT_GT(outcome.classes[0].packets.count(), 20'000U);
}

}  // namespace
}  // namespace punctual::sim
