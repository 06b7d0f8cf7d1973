// SPDX-License-Identifier: GPL-2.0-only
#include "cli/top_samples.h"

#include <gtest/gtest.h>

namespace punctual {
namespace {

// At `seconds`, after `nr` waits in all, of which `lost` are not in the counts.
TopSample sample(u64 seconds, u64 nr, u64 lost = 0)
{
	TopSample sample;
	sample.waits.at_ns = seconds * 1000000000;
	sample.waits.cpus = {{0, {}}};
	sample.waits.cpus[0].kinds[0].record(1000, nr);
	sample.waits.losses.lost = lost;
	return sample;
}

TopSamples three_seconds()
{
	TopSamples samples;
	samples.latest = sample(10, 100);
	samples.previous = samples.latest;
	samples.reset_now();
	samples.add(sample(11, 110, 7));
	samples.add(sample(13, 160, 7));
	return samples;
}

TEST(TopSamples, LastIntervalLiesBetweenTheLastTwo)
{
	const TopFacts facts = three_seconds().facts(false, {});
	EXPECT_EQ(facts.window_ns, 2000000000U);
	EXPECT_EQ(facts.waits.all().count(), 50U);
}

TEST(TopSamples, WindowSinceTheResetBeginsThere)
{
	TopSamples samples = three_seconds();
	EXPECT_EQ(samples.facts(true, {}).window_ns, 3000000000U);
	EXPECT_EQ(samples.facts(true, {}).waits.all().count(), 60U);
	samples.reset_now();
	EXPECT_EQ(samples.facts(true, {}).window_ns, 0U);
	samples.add(sample(14, 161));
	EXPECT_EQ(samples.facts(true, {}).waits.all().count(), 1U);
}

TEST(TopSamples, LossesAreOfAllTimeNotOfTheWindow)
{
	const TopFacts facts = three_seconds().facts(false, {});
	EXPECT_EQ(facts.losses.lost, 7U);
	EXPECT_EQ(facts.waits.losses.lost, 0U);
}

TEST(TopSamples, SchedulerThatCameOrWentWithinTheWindowIsAChange)
{
	TopSamples samples = three_seconds();
	EXPECT_FALSE(samples.facts(false, {}).scheduler.has_changed);
	TopSample loaded = sample(14, 161);
	loaded.scheduler.name = "scx_latency";
	loaded.scheduler.enable_seq = 1;
	samples.add(loaded);
	EXPECT_TRUE(samples.facts(false, {}).scheduler.has_changed);
	TopSample reloaded = sample(15, 162);
	reloaded.scheduler = loaded.scheduler;
	samples.add(reloaded);
	EXPECT_FALSE(samples.facts(false, {}).scheduler.has_changed);
	EXPECT_TRUE(samples.facts(true, {}).scheduler.has_changed);
	reloaded.scheduler.enable_seq = 2;  // ejected and loaded again between two looks
	samples.add(reloaded);
	EXPECT_TRUE(samples.facts(false, {}).scheduler.has_changed);
}

}  // namespace
}  // namespace punctual
