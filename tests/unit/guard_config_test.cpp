// SPDX-License-Identifier: GPL-2.0-only
// What a changed configuration means for a guard that runs.
#include "guard/guard_config.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace punctual {
namespace {

using std::chrono::microseconds;

GuardConfig config()
{
	return {.scheduler = "scx_latency",
		.set = {"floor_percent=10"},
		.budgets = {{"vnf.slice", microseconds(60)}, {"voice.slice", microseconds(5000), 30}},
		.slo = {"starved > 0"}};
}

TEST(GuardConfig, SameConfigurationChangesNothing)
{
	const ConfigChange change = config_change(config(), config());
	EXPECT_TRUE(change.give.empty() && change.take.empty());
	EXPECT_FALSE(change.loads_anew);
	EXPECT_EQ(change.words, "nothing changed");
}

TEST(GuardConfig, BudgetsChangeInPlaceAndOnlyThoseThatDid)
{
	GuardConfig after = config();
	after.budgets = {{"vnf.slice", microseconds(50)}, {"new.slice", microseconds(70)}};
	const ConfigChange change = config_change(config(), after);
	EXPECT_EQ(change.give, after.budgets);
	EXPECT_EQ(change.take, std::vector<std::string>{"voice.slice"});
	EXPECT_FALSE(change.loads_anew);
	EXPECT_EQ(change.words, "budget of vnf.slice 50us; budget of new.slice 70us; no budget for voice.slice");
	after = config();
	after.budgets[1].cap_percent = 40;  // a cap is part of it
	EXPECT_EQ(config_change(config(), after).give.size(), 1U);
}

TEST(GuardConfig, RulesHooksAndMetricsChangeInPlace)
{
	GuardConfig after = config();
	after.slo.clear();
	after.on_fallback = "true";
	after.webhook = "http://a";
	after.metrics = "/m";
	const ConfigChange change = config_change(config(), after);
	EXPECT_FALSE(change.loads_anew);
	EXPECT_EQ(change.words, "0 rules; on_fallback true; webhook http://a; metrics /m");
}

TEST(GuardConfig, WhatTheLoaderIsToldNeedsALoad)
{
	const auto loads_anew = [](auto change_it) {
		GuardConfig after = config();
		change_it(after);
		const ConfigChange change = config_change(config(), after);
		return change.loads_anew && change.words.ends_with(": loading again");
	};
	EXPECT_TRUE(loads_anew([](GuardConfig& after) { after.scheduler = "scx_simple"; }));
	EXPECT_TRUE(loads_anew([](GuardConfig& after) { after.cpus = "0"; }));
	EXPECT_TRUE(loads_anew([](GuardConfig& after) { after.set = {"floor_percent=20"}; }));
	EXPECT_TRUE(loads_anew([](GuardConfig& after) { after.timeout = "5s"; }));
	EXPECT_TRUE(loads_anew([](GuardConfig& after) { after.only = true; }));
}

// With --only the budgets say which cgroups leave EEVDF; how long their budgets are does not matter for that.
TEST(GuardConfig, ScopeOfOnlyNeedsALoadWhenItChanges)
{
	GuardConfig before = config();
	before.only = true;
	GuardConfig after = before;
	after.budgets[0].latency = microseconds(50);
	EXPECT_FALSE(config_change(before, after).loads_anew);
	after.budgets.pop_back();
	EXPECT_TRUE(config_change(before, after).loads_anew);
	after.slices = {"voice.slice"};
	EXPECT_FALSE(config_change(before, after).loads_anew);
}

TEST(GuardConfig, LinesSayWhatWouldBeDone)
{
	const std::vector<std::string> lines = config_lines(config());
	EXPECT_EQ(lines[0], "scheduler    scx_latency");
	EXPECT_NE(std::ranges::find(lines, "budget       voice.slice 5ms with cap 30%"), lines.end());
	EXPECT_NE(std::ranges::find(lines, "rule         starved > 0"), lines.end());
	EXPECT_NE(std::ranges::find(lines, "webhook      none"), lines.end());
}

}  // namespace
}  // namespace punctual
