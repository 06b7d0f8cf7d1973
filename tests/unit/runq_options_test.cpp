// SPDX-License-Identifier: GPL-2.0-only
#include <unistd.h>

#include <algorithm>

#include <gtest/gtest.h>

#include "cli/runq_options.h"

namespace punctual {
namespace {

using std::chrono::milliseconds;

Result<RunqPlan> plan_of(std::vector<std::string> arguments)
{
	CLI::App app;
	RunqOptions options;
	declare_runq_options(*app.add_subcommand("runq"), &options);
	std::ranges::reverse(arguments);
	arguments.emplace_back("runq");
	app.parse(arguments);
	return runq_plan(options);
}

std::string error_of(std::vector<std::string> arguments)
{
	auto plan = plan_of(std::move(arguments));
	return plan ? "" : plan.error().what;
}

TEST(RunqOptions, IntervalAndCountComeBeforeTheCommand)
{
	const RunqPlan plan = plan_of({"200ms", "3", "--json", "--", "ls", "-l", "--by"}).value();
	EXPECT_EQ(plan.interval, milliseconds(200));
	EXPECT_EQ(plan.count, 3u);
	EXPECT_EQ(plan.command, (std::vector<std::string>{"ls", "-l", "--by"}));
}

TEST(RunqOptions, TheCommandsOptionsAreItsOwn)
{
	const RunqPlan plan = plan_of({"1", "2", "--", "sh", "-c", "exit 3"}).value();
	EXPECT_EQ(plan.count, 2u);
	EXPECT_EQ(plan.command, (std::vector<std::string>{"sh", "-c", "exit 3"}));
	EXPECT_EQ(plan_of({"2s", "--", "sh", "-c", "x"})->command.size(), 3u);
	EXPECT_EQ(plan_of({"--json", "--", "sh", "-c", "x"})->command.size(), 3u);
}

TEST(RunqOptions, ABareNumberIsSeconds)
{
	EXPECT_EQ(plan_of({"2"})->interval, milliseconds(2000));
	EXPECT_EQ(plan_of({})->interval, milliseconds(5000));
}

TEST(RunqOptions, ACommandAloneIsOneWindow)
{
	const RunqPlan plan = plan_of({"--", "true"}).value();
	EXPECT_FALSE(plan.interval.has_value());
	EXPECT_EQ(plan.command.size(), 1u);
}

TEST(RunqOptions, OnlyByTaskLooksAtEveryTask)
{
	EXPECT_TRUE(plan_of({"--by", "task"})->collector.tasks);
	EXPECT_FALSE(plan_of({"--by", "cpu"})->collector.tasks);
}

TEST(RunqOptions, AThreadStandsForItsProcess)
{
	EXPECT_EQ(plan_of({"-p", std::to_string(getpid())})->collector.tgid, static_cast<u32>(getpid()));
}

TEST(RunqOptions, WhatIsWrongIsNamed)
{
	EXPECT_EQ(error_of({"--by", "thread"}), "--by 'thread': give cpu, cgroup or task");
	EXPECT_EQ(error_of({"-p", "x"}), "-p 'x' is not a process id, e.g. 4711");
	EXPECT_EQ(error_of({"1ms"}), "INTERVAL '1ms': give 10ms to 24h");
	EXPECT_EQ(error_of({"-1"}), "INTERVAL '-1': give 10ms to 24h");
	EXPECT_EQ(error_of({"1", "0"}), "COUNT '0': give at least 1");
	EXPECT_NE(error_of({"-p", "4194305"}).find("there is no such process"), std::string::npos);
}

}  // namespace
}  // namespace punctual
