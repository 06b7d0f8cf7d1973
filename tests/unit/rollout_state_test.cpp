// SPDX-License-Identifier: GPL-2.0-only
#include "bench/rollout_state.h"

#include <gtest/gtest.h>

#include "bench/rollout_record.h"

namespace punctual {
namespace {

constexpr uint64_t kActionsMax = 1000;

RolloutPlan plan_of(uint64_t nr_pairs = 6)
{
	return {.steps = {*CpuList::parse("0"), *CpuList::parse("0-1")},
		.nr_pairs = nr_pairs,
		.seed = 1,
		.rule = *parse_keep_rule("p99 <= 0.5x"),
		.stays = true};
}

// A machine on which the plan is carried out: what is loaded on it, and in which order things were done.
struct Machine {
	RolloutPlan plan = plan_of();
	RolloutState state = {};
	RolloutAction action = begin(plan, &state);
	uint64_t scheduler_p99_ns = 1000;  // EEVDF has 10,000
	bool is_clean = false;             // nothing of ours is loaded or left
	uint64_t nr_actions = 0;
	std::string order = {};

	bool is_over() const { return action.kind == RolloutActionKind::end || nr_actions > kActionsMax; }

	RolloutEvent act()
	{
		nr_actions++;
		switch (action.kind) {
		case RolloutActionKind::fall_back:
			is_clean = true;
			return {.kind = RolloutEventKind::fell_back};
		case RolloutActionKind::keep:
			is_clean = false;
			return {.kind = RolloutEventKind::kept_ended, .code = ExitCode::ok, .reason = "stopped"};
		case RolloutActionKind::measure:
			is_clean = false;
			order += action.arm == RolloutArm::eevdf ? 'A' : 'B';
			return {.kind = RolloutEventKind::measured,
				.run = {.p99_ns = action.arm == RolloutArm::eevdf ? 10'000 : scheduler_p99_ns}};
		case RolloutActionKind::end:
			break;
		}
		return {};
	}
	void step() { action = next(plan, &state, act()); }
	void run_to_end()
	{
		while (!is_over())
			step();
	}
};

TEST(Rollout, KeepsOnlyAfterEveryStepHeld)
{
	Machine machine;
	while (machine.action.kind != RolloutActionKind::keep && !machine.is_over())
		machine.step();
	EXPECT_EQ(machine.action.kind, RolloutActionKind::keep);
	EXPECT_EQ(machine.state.results.size(), 2);
	EXPECT_EQ(machine.order.size(), 2 * 2 * machine.plan.nr_pairs);
	machine.run_to_end();
	EXPECT_EQ(machine.state.code, ExitCode::ok);
	EXPECT_TRUE(machine.is_clean);
}

TEST(Rollout, ARuleThatFailsRevertsAfterTheFirstStep)
{
	Machine machine{.scheduler_p99_ns = 9000};
	machine.run_to_end();
	EXPECT_EQ(machine.state.code, ExitCode::regression);
	EXPECT_EQ(machine.state.results.size(), 1);
	EXPECT_TRUE(machine.is_clean);
	EXPECT_EQ(machine.state.reason, "step 1 (cpus 0); p99 <= 0.5x fails: 0.9x (0.9x to 0.9x), p 0.031");
}

TEST(Rollout, NeverKeepsWhatIsUnclear)
{
	Machine machine{.plan = plan_of(5)};  // so few pairs can show nothing
	while (!machine.is_over()) {
		EXPECT_NE(machine.action.kind, RolloutActionKind::keep);
		machine.step();
	}
	EXPECT_EQ(machine.state.code, ExitCode::inconclusive);
	EXPECT_TRUE(machine.is_clean);
}

TEST(Rollout, WithoutStayingItEndsCleanAndWell)
{
	Machine machine;
	machine.plan.stays = false;
	machine.run_to_end();
	EXPECT_EQ(machine.state.code, ExitCode::ok);
	EXPECT_TRUE(machine.is_clean);
}

// At each of its actions, each way in which that can go wrong.
TEST(Rollout, EveryAbortLeavesEevdf)
{
	uint64_t nr_aborts = 0;
	for (const ExitCode code : {ExitCode::ejected, ExitCode::failed, ExitCode::invalid, ExitCode::interrupted}) {
		for (uint64_t at = 0;; at++) {
			Machine machine;
			while (machine.nr_actions < at && !machine.is_over())
				machine.step();
			if (machine.is_over())
				break;
			const bool was_leaving = machine.state.phase == RolloutPhase::leaving;
			(void)machine.act();
			machine.action =
			    next(machine.plan, &machine.state,
				 {.kind = RolloutEventKind::failed, .code = code, .reason = "it went wrong"});
			machine.run_to_end();
			EXPECT_LE(machine.nr_actions, at + 3);
			EXPECT_EQ(machine.state.phase, RolloutPhase::ended);
			EXPECT_TRUE(machine.is_clean) << "aborted at action " << at;
			EXPECT_EQ(machine.state.code == code, !was_leaving || code != ExitCode::interrupted);
			nr_aborts++;
		}
	}
	EXPECT_EQ(nr_aborts, 4 * (1 + 24 + 2));  // the first fall back, each run, keep, the last fall back
}

// Killed at any moment: what is on disk then is taken up, by a process that begins by falling back, to the same end.
TEST(Rollout, ResumesFromEveryStateToTheSameEnd)
{
	for (uint64_t at = 0;; at++) {
		Machine machine;
		while (machine.nr_actions < at && !machine.is_over())
			machine.step();
		if (machine.is_over())
			break;
		const Result<RolloutRecord> record = record_from_json(record_to_json({.state = machine.state}));
		ASSERT_TRUE(record) << record.error().what;
		if (!record->state.can_resume())
			continue;  // it had been kept, and was on its way to the end
		Machine again{.state = record->state};
		EXPECT_EQ(again.action.kind, RolloutActionKind::fall_back);
		again.run_to_end();
		EXPECT_EQ(again.state.code, ExitCode::ok);
		EXPECT_TRUE(again.is_clean);
		ASSERT_EQ(again.state.results.size(), 2);
		for (const std::vector<RolloutPair>& pairs : again.state.results) {
			EXPECT_EQ(pairs.size(), again.plan.nr_pairs);
			for (const RolloutPair& pair : pairs) {
				EXPECT_EQ(pair.eevdf.p99_ns, 10'000);
				EXPECT_EQ(pair.scheduler.p99_ns, 1000);
			}
		}
	}
}

TEST(Rollout, HalfAPairIsMeasuredAgain)
{
	Machine machine;
	while (machine.state.run != 3)
		machine.step();
	Machine again{.state = machine.state};
	EXPECT_EQ(again.state.run, 2);
	EXPECT_EQ(again.state.results[0].size(), 1);
}

TEST(Rollout, ItsOrderIsThereAndBack)
{
	Machine machine;
	machine.run_to_end();
	ASSERT_EQ(machine.order.size(), 24);
	for (size_t block = 0; block < machine.order.size(); block += 4) {
		const std::string runs = machine.order.substr(block, 4);
		EXPECT_TRUE(runs == "ABBA" || runs == "BAAB") << runs;
	}
}

TEST(Rollout, AVerdictAndAnEjectionAreNotTakenUpAgain)
{
	for (const ExitCode code : {ExitCode::ok, ExitCode::regression, ExitCode::inconclusive, ExitCode::ejected})
		EXPECT_FALSE((RolloutState{.phase = RolloutPhase::ended, .code = code}.can_resume()));
	for (const ExitCode code : {ExitCode::interrupted, ExitCode::failed, ExitCode::invalid})
		EXPECT_TRUE((RolloutState{.phase = RolloutPhase::ended, .code = code}.can_resume()));
	EXPECT_TRUE(RolloutState{.phase = RolloutPhase::keeping}.can_resume());
}

TEST(RolloutRecord, KeepsEverything)
{
	RolloutRecord record{.arguments = {"scx_latency=60us", "--cpus", "0-1"},
			     .kernel = "6.18",
			     .pid = 42,
			     .has_cgroups = true,
			     .was_cpu_controlled = true};
	Machine machine;
	while (machine.state.run != 3)
		machine.step();
	record.state = machine.state;
	SideCounts& counts = record.state.results[0][0].eevdf.counts.emplace();
	counts.vnf = {.values = {1, 2, 3, 4, 0, 0, 0}, .supported = 0xf};
	counts.background = {.values = {9, 8, 7, 6, 5, 4, 3}, .supported = 0x7f, .scaled = 0x10};
	const Result<RolloutRecord> read = record_from_json(record_to_json(record));
	ASSERT_TRUE(read) << read.error().what;
	EXPECT_EQ(record_to_json(*read), record_to_json(record));
	EXPECT_EQ(read->state.results, record.state.results);
	EXPECT_TRUE(read->has_cgroups && read->was_cpu_controlled);
}

TEST(RolloutRecord, RefusesWhatContradictsItself)
{
	Machine machine;
	while (machine.state.run != 3)
		machine.step();
	RolloutRecord record{.state = machine.state};
	record.state.run = 9;
	EXPECT_FALSE(record_from_json(record_to_json(record)));
	record.state.run = ~0ULL;
	EXPECT_FALSE(record_from_json(record_to_json(record)));
	EXPECT_FALSE(record_from_json("{}"));
	EXPECT_FALSE(record_from_json("[1"));
}

}  // namespace
}  // namespace punctual
