// SPDX-License-Identifier: GPL-2.0-only
// rt-app's JSON as scripts, and what the scripts do.
#include <gtest/gtest.h>

#include "scenarios.h"
#include "sim/loose_json.h"
#include "sim/rtapp.h"

namespace punctual::sim {
namespace {

Result<ScriptLoad> read_text(const std::string& text, u32 nr_cpus = 2)
{
	return parse_rtapp(std::vector<RtappFile>{{"a.json", text}}, nr_cpus);
}

Outcome run_load(const ScriptLoad& load, u32 nr_cpus = 2)
{
	Scenario scenario;
	scenario.audit = false;
	scenario.policy = PolicyKind::eevdf;
	scenario.machine.nr_cpus = nr_cpus;
	scenario.duration_ns = load.duration_ns ? load.duration_ns : kSecond;
	scenario.tasks = load.tasks;
	scenario.nr_rows = static_cast<u32>(load.rows.size());
	return simulate(scenario);
}

Outcome run_text(const std::string& text, u32 nr_cpus = 2)
{
	const auto load = read_text(text, nr_cpus);
	EXPECT_TRUE(load) << load.error().what;
	return load ? run_load(*load, nr_cpus) : Outcome();
}

TEST(LooseJson, TakesWhatWorkgenTakes)
{
	const auto tree =
	    parse_loose_json("{ /* \" */ \"run\" : 1, \"s\", \"run\" : 2, // x\n \"l\" : [1, 2,], }", "f");
	ASSERT_TRUE(tree) << tree.error().what;
	ASSERT_EQ(tree->members.size(), 4U);  // both runs, in their order
	EXPECT_EQ(tree->members[2].value.number, 2);
	EXPECT_EQ(tree->members[1].value.kind, JsonKind::text);
	EXPECT_EQ(tree->member("l")->members.size(), 2U);
}

TEST(LooseJson, ErrorsNameTheLine)
{
	const auto tree = parse_loose_json("{\n/* \n */ \"a\" : 1\n\"b\" : 2 }", "f.json");
	ASSERT_FALSE(tree);
	EXPECT_TRUE(tree.error().what.starts_with("f.json:4: ")) << tree.error().what;
	EXPECT_FALSE(parse_loose_json(std::string(40, '['), "f"));
}

TEST(Rtapp, LoopsAndPhasesGiveTheRunningTimeThatIsWritten)
{
	const Outcome outcome = run_text(R"({"tasks": {"t": {"instance": 2, "loop": 3, "phases": {
		"a": {"loop": 4, "run": 100, "sleep": 100}, "b": {"run0": 50, "runtime": 50}, "c": {"loop": 0, "run": 9}}}}})");
	EXPECT_EQ(outcome.nr_unfinished, 0U);
	EXPECT_EQ(outcome.counted[0].own_work_ns, 3 * 500 * kMicrosecond);
	EXPECT_EQ(outcome.counted[1].own_work_ns, 3 * 500 * kMicrosecond);
}

TEST(Rtapp, TimerKeepsItsPeriodAndARelativeOneForgetsAMiss)
{
	const char* text = R"({"tasks": {"t": {"loop": 1, "phases": {
		"a": {"loop": 3, "run": 5000, "timer": {"ref": "unique", "period": 10000, "mode": "MODE"}},
		"b": {"run": 25000, "timer": {"ref": "unique", "period": 10000, "mode": "MODE"}},
		"c": {"loop": 3, "run": 1000, "timer": {"ref": "unique", "period": 10000, "mode": "MODE"}}}}}})";
	const auto length_ms = [&](const std::string& mode) {
		std::string with_mode = text;
		for (size_t at = 0; (at = with_mode.find("MODE")) != std::string::npos;)
			with_mode.replace(at, 4, mode);
		return static_cast<double>(run_text(with_mode).ended_ns) / 1e6;
	};
	EXPECT_NEAR(length_ms("relative"), 30 + 25 + 30, 0.2);
	EXPECT_NEAR(length_ms("absolute"), 70, 0.2);  // catches up
}

TEST(Rtapp, MutexIsHeldByOneAtATime)
{
	const Outcome outcome = run_text(R"({"tasks": {"t": {"instance": 3, "loop": 1,
		"lock": "m", "run": 10000, "unlock": "m"}}})",
					 4);
	EXPECT_EQ(outcome.nr_unfinished, 0U);
	EXPECT_NEAR(static_cast<double>(outcome.ended_ns) / 1e6, 30, 0.2);  // though there is a CPU for each
}

TEST(Rtapp, SignalsBarriersAndResumesWakeWhoWaits)
{
	const Outcome pairs = run_text(R"({"tasks": {
		"waits": {"loop": 5, "lock": "m", "wait": {"ref": "c", "mutex": "m"}, "unlock": "m", "run": 100},
		"wakes": {"loop": 5, "sleep": 1000, "lock": "m", "signal": "c", "unlock": "m"},
		"sleeps": {"loop": 1, "suspend": "", "run": 100}, "resumes": {"loop": 1, "sleep": 2000, "resume": "sleeps"}}})");
	EXPECT_EQ(pairs.nr_unfinished, 0U);
	EXPECT_EQ(pairs.counted[0].own_work_ns, 500 * kMicrosecond);
	const Outcome meeting = run_text(R"({"tasks": {"slow": {"loop": 1, "run": 9000, "barrier": "b"},
		"fast": {"instance": 2, "loop": 1, "run": 1000, "barrier": "b", "run": 1000}}})",
					 4);
	EXPECT_EQ(meeting.nr_unfinished, 0U);
	EXPECT_NEAR(static_cast<double>(meeting.ended_ns) / 1e6, 10, 0.2);
}

TEST(Rtapp, ResumeOfNobodyIsLostAndTheTaskStaysBlocked)
{
	EXPECT_EQ(run_text(R"({"tasks": {"a": {"loop": 1, "resume": "b"},
		"b": {"loop": 1, "sleep": 1000, "suspend": "b"}}})")
		      .nr_unfinished,
		  1U);
}

TEST(Rtapp, ForkStartsATaskThatIsThereForIt)
{
	const Outcome outcome = run_text(R"({"tasks": {"parent": {"loop": 3, "run": 100, "fork": "child"},
		"child": {"instance": 0, "loop": 1, "run": 200}}})");
	EXPECT_EQ(outcome.counted[1].own_work_ns, 600 * kMicrosecond);
	EXPECT_EQ(outcome.nr_unfinished, 0U);
}

TEST(Rtapp, PhaseMayHaveCpusOfItsOwn)
{
	const auto load = read_text(R"({"tasks": {"t": {"cpus": [1], "loop": 1, "phases": {
		"a": {"cpus": [0], "run": 5000}, "b": {"run": 5000}}}}})");
	ASSERT_TRUE(load) << load.error().what;
	Scenario scenario;
	scenario.audit = false;
	scenario.keep_trace = true;
	scenario.machine.nr_cpus = 2;
	scenario.tasks = load->tasks;
	scenario.nr_rows = 1;
	u64 on_cpu_ns[2] = {};
	for (const sim::Run& run : simulate(scenario).runs)
		on_cpu_ns[run.cpu] += run.end_ns - run.start_ns;
	EXPECT_NEAR(static_cast<double>(on_cpu_ns[0]), 5e6, 1e5);
	EXPECT_NEAR(static_cast<double>(on_cpu_ns[1]), 5e6, 1e5);
}

TEST(Rtapp, YieldAndNiceValuesReachTheScheduler)
{
	const Outcome outcome = run_text(R"({"global": {"duration": 1, "default_policy": "SCHED_OTHER"}, "tasks": {
		"nice": {"priority": 5, "cpus": [0], "loop": -1, "run": 1000, "yield": ""},
		"plain": {"cpus": [0], "loop": -1, "run": 1000}}})");
	const double ratio =
	    static_cast<double>(outcome.counted[1].own_work_ns) / static_cast<double>(outcome.counted[0].own_work_ns);
	EXPECT_NEAR(ratio, 1024.0 / 335, 0.3);
}

TEST(Rtapp, WhatIsNotModelledIsNamed)
{
	const auto load =
	    read_text(R"({"global": {"pi_enabled": true, "gnuplot": true}, "tasks": {"t": {"mem": 1, "iorun": 2,
		"policy": "SCHED_DEADLINE", "dl-runtime": 5, "colour": 1, "run": 1}}})");
	ASSERT_TRUE(load) << load.error().what;
	std::string all;
	for (const std::string& what : load->not_modelled)
		all += what + "\n";
	for (const char* name : {"pi_enabled", "t: mem", "t: iorun", "SCHED_DEADLINE", "dl-runtime", "colour"})
		EXPECT_NE(all.find(name), std::string::npos) << name << " is not in\n" << all;
	EXPECT_EQ(all.find("gnuplot"), std::string::npos);  // says nothing about what runs
}

TEST(Rtapp, WrongFilesAreRefusedWithTheTaskAndTheRemedy)
{
	for (const char* text :
	     {"", "[]", "{}", R"({"tasks": {"t": 1}})", R"({"tasks": {"t": {"run": -1}}})",
	      R"({"tasks": {"t": {"run": "x"}}})", R"({"tasks": {"t": {"timer": {"ref": "x"}}}})",
	      R"({"tasks": {"t": {"wait": "c"}}})", R"({"tasks": {"t": {"loop": "x", "run": 1}}})",
	      R"({"tasks": {"t": {"instance": 99999, "run": 1}}})", R"({"tasks": {"t": {"fork": "x"}}})",
	      R"({"tasks": {"t": {"priority": 20, "run": 1}}})", R"({"tasks": {"t": {"lock": 1}}})",
	      R"({"tasks": {"t": {"exec": 1, "period": 1, "lock_order": ["x"]}}})"}) {
		const auto load = read_text(text);
		ASSERT_FALSE(load) << text;
		EXPECT_EQ(load.error().code, ExitCode::usage);
		EXPECT_TRUE(load.error().what.starts_with("a.json:")) << load.error().what;
	}
	const auto load = read_text(R"({"tasks": {"t": {"cpus": [7], "run": 1}}})");
	ASSERT_FALSE(load);
	EXPECT_NE(load.error().what.find("give --cpus 8"), std::string::npos) << load.error().what;
}

TEST(Scripts, ThatNeverRunDoNotStopTheClock)
{
	const Outcome outcome = run_text(R"({"global": {"duration": 1}, "tasks": {"t": {"loop": -1, "resume": "x"}}})");
	EXPECT_EQ(outcome.nr_unfinished, 1U);
	EXPECT_GT(outcome.counted[0].own_work_ns, kSecond / 2);
}

}  // namespace
}  // namespace punctual::sim
