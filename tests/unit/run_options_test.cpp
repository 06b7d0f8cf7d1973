// SPDX-License-Identifier: GPL-2.0-only
#include "cli/run_options.h"

#include <gtest/gtest.h>

#include <map>

namespace punctual {
namespace {

Environment variables(std::map<std::string, std::string> values)
{
	return [values](const char* name) {
		auto value = values.find(name);
		return value == values.end() ? std::string() : value->second;
	};
}

const Environment kNone = variables({});

std::string refusal(const RunOptions& options)
{
	const auto scheduler = scheduler_options(options);
	EXPECT_FALSE(scheduler);
	if (scheduler)
		return "";
	return scheduler.error().what;
}

TEST(RunOptions, FlagGoesBeforeEnvironmentBeforeFile)
{
	RunOptions flags;
	flags.cpus = "0";
	ConfigFile file;
	file.cpus.text = file.floor.text = file.timeout.text = file.scheduler.text = "file";
	const RunOptions merged =
	    merge_run_options(flags, variables({{"PUNCTUAL_CPUS", "1"}, {"PUNCTUAL_FLOOR", "20%"}}), file);
	EXPECT_EQ(merged.cpus, "0");
	EXPECT_EQ(merged.floor, "20%");
	EXPECT_EQ(merged.timeout, "file");
	EXPECT_EQ(merged.sched, "file");
	EXPECT_EQ(merge_run_options({}, variables({{"PUNCTUAL_TIMEOUT", "3s"}}), file).timeout, "3s");
	EXPECT_EQ(merge_run_options({}, kNone, {}).cpus, "");
}

TEST(RunOptions, TunableOfAFlagIsTheLastWord)
{
	RunOptions flags;
	flags.set = {"slice_ns=1ms"};
	ConfigFile file;
	file.set = {{"slice_ns=2ms"}, {"debt_ns=1"}};
	EXPECT_EQ(merge_run_options(flags, kNone, file).set,
		  (std::vector<std::string>{"slice_ns=2ms", "debt_ns=1", "slice_ns=1ms"}));
}

TEST(RunOptions, WrongValueOfTheFileIsNamedWithItsPlace)
{
	const auto said = [](std::string_view text) {
		const Status checked = check_run_values(parse_config(text, "a.toml").value());
		return checked ? "" : checked.error().what;
	};
	EXPECT_EQ(said("floor = \"10%\"\ntimeout = \"5s\"\ncpus = \"0\"\nbudgets = {a = \"60us\"}"), "");
	EXPECT_TRUE(said("\nfloor = \"90%\"").starts_with("a.toml:2: floor: ")) << said("\nfloor = \"90%\"");
	EXPECT_TRUE(said("\ntimeout = \"31s\"").starts_with("a.toml:2: timeout: "));
	EXPECT_TRUE(said("cpus = \"70000\"").starts_with("a.toml:1: cpus: "));
	EXPECT_TRUE(said("[budgets]\na = \"2s\"").starts_with("a.toml:2: budgets.a: budget of a: 2s is outside"));
	EXPECT_TRUE(said("[budgets]\na = {latency = \"1ms\", cap = \"0%\"}").starts_with("a.toml:2: budgets.a: cap"));
}

TEST(RunOptions, SlicesOfTheFileAreForOnlyAlone)
{
	const ConfigFile file = parse_config("only = true\nslices = [\"a\"]", "a.toml").value();
	EXPECT_TRUE(merge_run_options({}, kNone, file).only);
	EXPECT_EQ(merge_run_options({}, kNone, file).slices, std::vector<std::string>{"a"});
	EXPECT_TRUE(merge_run_options({}, kNone, parse_config("slices = [\"a\"]", "a.toml").value()).slices.empty());
}

TEST(RunOptions, FloorIsATunableOfTheScheduler)
{
	RunOptions options;
	options.floor = "15%";
	const auto scheduler = scheduler_options(options);
	ASSERT_TRUE(scheduler);
	EXPECT_EQ(scheduler->set, std::vector<std::string>{"floor_percent=15"});
	for (const char* floor : {"0%", "91%", "x"}) {
		options.floor = floor;
		EXPECT_NE(refusal(options).find("floor"), std::string::npos);
	}
}

TEST(RunOptions, TimeoutHasLimits)
{
	RunOptions options;
	options.timeout = "5s";
	EXPECT_EQ(scheduler_options(options)->timeout_ms, 5000U);
	options.timeout = "31s";
	EXPECT_NE(refusal(options).find("--timeout 31s"), std::string::npos);
}

TEST(RunOptions, CapNeedsItsForm)
{
	for (const char* cap : {"vnf.slice", "=30%", ""}) {
		RunOptions options;
		options.caps = {cap};
		EXPECT_NE(refusal(options).find("CGROUP=PERCENT"), std::string::npos) << cap;
	}
	RunOptions options;
	options.caps = {"vnf.slice=0%"};
	EXPECT_NE(refusal(options).find("cap of vnf.slice"), std::string::npos);
}

}  // namespace
}  // namespace punctual
