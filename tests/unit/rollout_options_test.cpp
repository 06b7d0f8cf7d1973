// SPDX-License-Identifier: GPL-2.0-only
#include "cli/rollout_options.h"

#include <gtest/gtest.h>

namespace punctual {
namespace {

TEST(RolloutOptions, OnRecordAreThoseThatWereGiven)
{
	RolloutOptions all;
	all.sched = "scx_latency";
	all.cpus = "0-3,8";
	all.slices = {"vnf.slice=60us", "a b.slice"};
	all.background_cgroup = "batch.slice";
	all.keep_if = "p99 <= 0.5x and drop <= 1%";
	all.seed = 7;
	all.counters = true;
	RolloutOptions few;  // an option without a value must not swallow the next one
	few.sched = "scx_simple";
	for (const RolloutOptions& options : {all, few}) {
		const Result<RolloutOptions> read = rollout_options_from(rollout_arguments(options));
		ASSERT_TRUE(read) << read.error().what;
		EXPECT_EQ(rollout_arguments(*read), rollout_arguments(options));
		EXPECT_EQ(read->cpus, options.cpus);
		EXPECT_EQ(read->slices, options.slices);
		EXPECT_EQ(read->counters, options.counters);
		EXPECT_EQ(read->keep_if, options.keep_if);
	}
	EXPECT_FALSE(rollout_options_from({"scx_simple", "--nonsense"}));
}

TEST(RolloutOptions, TheSoakIsSharedByThePairs)
{
	RolloutOptions options;
	options.sched = "scx_latency=60us";
	options.cpus = "0";
	options.soak = "8s";
	options.background_processes = 1;
	const Result<RolloutSetup> setup = rollout_setup(options, true);
	ASSERT_TRUE(setup) << setup.error().what;
	EXPECT_EQ(setup->window, std::chrono::seconds(1));
	const Result<BenchOptions> first = setup->load_of(0, 0), later = setup->load_of(1, 3);
	ASSERT_TRUE(first && later);
	EXPECT_NE(first->seed, later->seed);
	EXPECT_EQ(later->cpus.text(), "0");
}

TEST(RolloutOptions, WhatIsKeptIsOnTheCpusOfTheLastStep)
{
	RolloutOptions options;
	options.sched = "scx_latency=60us";
	options.cpus = "0-1";
	options.steps = "all,half";
	const Result<RolloutSetup> setup = rollout_setup(options, true);
	if (!setup)
		GTEST_SKIP() << setup.error().what;  // a machine with one CPU
	EXPECT_EQ(keep_command(options, *setup),
		  (std::vector<std::string>{"punctual", "run", "scx_latency", "--cpus", "0"}));
}

}  // namespace
}  // namespace punctual
