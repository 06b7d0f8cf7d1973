// SPDX-License-Identifier: GPL-2.0-only
#include "bench/starts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace punctual {
namespace {

BenchResult start_of(u64 first_p99_ns, u64 second_p99_ns, u64 second_work)
{
	BenchResult result;
	for (const auto& [name, p99_ns, work] : {std::tuple("eevdf", first_p99_ns, u64{1000}),
						 std::tuple("scx_latency=60us", second_p99_ns, second_work)}) {
		ArmResult arm;
		arm.name = name;
		arm.window_ns = 1'000'000'000;
		arm.background_work = work;
		arm.latency.record(1000, 98);
		arm.latency.record(p99_ns, 2);
		result.arms.push_back(std::move(arm));
	}
	return result;
}

TEST(BenchStarts, TheFirstIsAsAskedAndAllDiffer)
{
	const BenchOptions options;
	EXPECT_EQ(options_of_start(options, 0).settle, options.settle);
	EXPECT_EQ(options_of_start(options, 0).seed, options.seed);
	std::set<Nanoseconds> settles;
	std::set<u64> seeds;
	for (u64 start = 0; start < kStartsMax; start++) {
		const BenchOptions changed = options_of_start(options, start);
		settles.insert(changed.settle);
		seeds.insert(changed.seed);
		EXPECT_GE(changed.settle, options.settle);
		EXPECT_LE(changed.settle, options.settle + std::chrono::milliseconds(40));
	}
	EXPECT_EQ(settles.size(), kStartsMax);
	EXPECT_EQ(seeds.size(), kStartsMax);
}

TEST(BenchStarts, EachBlockGoesThereAndBack)
{
	bool forwards_first = false, backwards_first = false;
	for (u64 start = 0; start < 40; start += 2) {
		const std::vector<size_t> there = arm_order(3, start, 40, 1);
		std::vector<size_t> back = arm_order(3, start + 1, 40, 1);
		std::ranges::reverse(back);
		EXPECT_EQ(there, back);
		(there[0] == 0 ? forwards_first : backwards_first) = true;
	}
	EXPECT_TRUE(forwards_first && backwards_first);
}

TEST(BenchStarts, ASingleStartKeepsTheOrder)
{
	for (u64 seed = 0; seed < 20; seed++)
		EXPECT_EQ(arm_order(3, 0, 1, seed), (std::vector<size_t>{0, 1, 2}));
}

TEST(BenchStarts, AnArmThatWinsInEachStartIsBetterAndOneThatLosesIsWorse)
{
	std::vector<BenchResult> starts;
	starts.reserve(8);
	for (u64 i = 0; i < 8; i++)
		starts.push_back(start_of(5'000'000 + i * 70'000, 50'000 + i * 100, 800 + i));
	const std::vector<ArmQuestion> questions = compare_starts(starts, 0.05);
	ASSERT_EQ(questions.size(), 3u);
	EXPECT_EQ(questions[0].metric, "p99");
	EXPECT_TRUE(questions[0].is_primary);
	EXPECT_EQ(questions[0].judgement.verdict, PairedVerdict::better);
	EXPECT_DOUBLE_EQ(questions[0].p, 2.0 / 256);
	EXPECT_EQ(questions[2].metric, "background work");
	EXPECT_EQ(questions[2].judgement.verdict, PairedVerdict::worse);
	EXPECT_DOUBLE_EQ(questions[2].p, 4.0 / 256);  // one of two
}

TEST(BenchStarts, NothingIsSaidOfAnArmThatDidNothing)
{
	const std::vector<BenchResult> starts(8, start_of(5'000'000, 50'000, 0));
	EXPECT_EQ(compare_starts(starts, 0.05)[2].judgement.verdict, PairedVerdict::inconclusive);
}

TEST(BenchStarts, NoiseFloorIsTheFirstArmAgainstItself)
{
	std::vector<BenchResult> starts;
	starts.reserve(9);
	for (u64 i = 0; i < 9; i++)
		starts.push_back(start_of(i % 2 ? 2000 : 1000, 7, 1));
	const PairedChange change = *noise_floor(starts);
	EXPECT_EQ(change.nr_pairs, 4u);
	EXPECT_NEAR(change.ratio, 2, 0.02);
	EXPECT_FALSE(noise_floor(std::span(starts).first(3)));
}

}  // namespace
}  // namespace punctual
