// SPDX-License-Identifier: GPL-2.0-only
#include "measure/bootstrap.h"

#include <gtest/gtest.h>

#include "measure/time_blocks.h"
#include "tests/unit/simulated_waits.h"

namespace punctual {
namespace {

constexpr double kP99[] = {0.99};
constexpr double kNoise = 0.05;
constexpr u64 kBlockNs = 500'000'000;
constexpr int kPairs = 200;

// A recording of `seconds`, in blocks of half a second.
std::vector<WaitCounts> recorded(u64 seed, double scale = 1, u32 seconds = 20)
{
	SimulatedWaits waits(seed, scale, 150);
	TimeBlocks blocks(0, kBlockNs, 256);
	for (u64 at_ns = SimulatedWaits::kWindowNs; at_ns <= seconds * 1'000'000'000ULL;
	     at_ns += SimulatedWaits::kWindowNs)
		blocks.add(at_ns, waits.window());
	return blocks.whole_blocks();
}

Verdict verdict_of(const std::vector<WaitCounts>& a, const std::vector<WaitCounts>& b, u32 nr_resamples = 200)
{
	const auto changes = compare_quantiles(a, b, kP99, {.nr_resamples = nr_resamples});
	return judge(changes.at(0), a.size(), b.size(), kNoise).verdict;
}

TEST(Bootstrap, TwoRecordingsOfTheSameAreRarelyToldApart)
{
	int nr_false = 0, nr_inconclusive = 0;
	for (u64 pair = 0; pair < kPairs; pair++) {
		const Verdict verdict = verdict_of(recorded(2 * pair), recorded(2 * pair + 1));
		nr_false += verdict == Verdict::better || verdict == Verdict::worse;
		nr_inconclusive += verdict == Verdict::inconclusive;
	}
	RecordProperty("false", nr_false);
	RecordProperty("inconclusive", nr_inconclusive);
	EXPECT_LE(nr_false, kPairs * 7 / 100);
	EXPECT_LE(nr_inconclusive, kPairs / 2);
}

TEST(Bootstrap, FifthMoreIsFoundInMostRuns)
{
	int nr_worse = 0, nr_better = 0;
	for (u64 pair = 0; pair < kPairs / 2; pair++) {
		const Verdict verdict = verdict_of(recorded(2 * pair), recorded(2 * pair + 1, 1.2));
		nr_worse += verdict == Verdict::worse;
		nr_better += verdict == Verdict::better;
	}
	RecordProperty("worse", nr_worse);
	EXPECT_GE(nr_worse, kPairs * 3 / 10);
	EXPECT_EQ(nr_better, 0);
}

TEST(Bootstrap, SameSeedGivesTheSameInterval)
{
	const auto a = recorded(1), b = recorded(2);
	EXPECT_EQ(compare_quantiles(a, b, kP99), compare_quantiles(a, b, kP99));
	EXPECT_NE(compare_quantiles(a, b, kP99), compare_quantiles(a, b, kP99, {.seed = 2}));
}

TEST(Bootstrap, RatioIsBOverAWithItsIntervalAround)
{
	const auto change = compare_quantiles(recorded(1), recorded(1, 2.0), kP99).at(0);
	EXPECT_NEAR(change.ratio, 2, 0.05);
	EXPECT_LT(change.ratio_low, change.ratio);
	EXPECT_GT(change.ratio_high, change.ratio);
	EXPECT_EQ(verdict_of(recorded(1), recorded(1, 2.0)), Verdict::worse);
	EXPECT_EQ(verdict_of(recorded(1, 2.0), recorded(1)), Verdict::better);
}

TEST(Bootstrap, QuantilesAreInsideTheirBuckets)
{
	WaitCounts counts;
	counts.record(10'000, 98);
	counts.record(50'000, 2);
	const std::vector<WaitCounts> blocks(4, counts);
	const auto change = compare_quantiles(blocks, blocks, kP99).at(0);
	EXPECT_NEAR(change.a_ns, 50'000, 50'000 * WaitCounts::kErrorMax);
	EXPECT_EQ(change.nr_beyond, 4u);
	EXPECT_EQ(change.ratio_low, 1) << "blocks that are all the same leave no doubt";
}

TEST(Bootstrap, CorrelationOfBlocksWidensTheInterval)
{
	std::vector<WaitCounts> by_turns, in_a_row;
	for (u32 i = 0; i < 40; i++) {
		by_turns.emplace_back().record(i % 2 ? 10'000 : 20'000, 5000);
		in_a_row.emplace_back().record(i < 20 ? 10'000 : 20'000, 5000);
	}
	const double quantile[] = {0.45};
	const auto width = [&](const std::vector<WaitCounts>& blocks) {
		const auto change = compare_quantiles(blocks, blocks, quantile).at(0);
		return std::log(change.ratio_high / change.ratio_low);
	};
	EXPECT_GT(width(in_a_row), 2 * width(by_turns));
}

TEST(Bootstrap, WithoutWaitsThereIsNothingToCompare)
{
	const std::vector<WaitCounts> none(30);
	EXPECT_TRUE(compare_quantiles(none, recorded(1), kP99).empty());
	EXPECT_TRUE(compare_quantiles({}, {}, kP99).empty());
	std::vector<WaitCounts> sparse(30);
	sparse[3].record(1000);
	EXPECT_EQ(compare_quantiles(sparse, sparse, kP99).size(), 1u);
}

TEST(Judge, NeedsBlocksAndWaits)
{
	const QuantileChange clear{0.99, 100, 200, 2, 1.9, 2.1, 1000};
	EXPECT_EQ(judge(clear, 20, 20, kNoise).verdict, Verdict::worse);
	EXPECT_EQ(judge(clear, 19, 20, kNoise).verdict, Verdict::inconclusive);
	EXPECT_EQ(judge(clear, 20, 19, kNoise).verdict, Verdict::inconclusive);
	QuantileChange few = clear;
	few.nr_beyond = 19;
	EXPECT_EQ(judge(few, 20, 20, kNoise).verdict, Verdict::inconclusive);
}

TEST(Judge, SmallChangesDoNotCountAndWideIntervalsSayNothing)
{
	auto verdict = [](double ratio, double low, double high) {
		return judge({0.99, 100, 100 * ratio, ratio, low, high, 1000}, 20, 20, kNoise).verdict;
	};
	EXPECT_EQ(verdict(1.04, 1.02, 1.06), Verdict::no_difference) << "certain, but below the noise";
	EXPECT_EQ(verdict(1.06, 1.02, 1.10), Verdict::worse);
	EXPECT_EQ(verdict(1.06, 0.98, 1.14), Verdict::no_difference);
	EXPECT_EQ(verdict(1.06, 0.90, 1.25), Verdict::inconclusive);
	EXPECT_EQ(verdict(0.94, 0.90, 0.98), Verdict::better);
	EXPECT_EQ(verdict(1.00, 0.70, 1.02), Verdict::inconclusive);
}

TEST(TimeBlocks, NeighboursAreJoinedWhenThereAreTooMany)
{
	WaitCounts one;
	one.record(1000);
	TimeBlocks blocks(1000, 10, 4);
	for (u64 end_ns = 1010; end_ns <= 1090; end_ns += 10)
		blocks.add(end_ns, one);
	EXPECT_EQ(blocks.block_ns(), 40u);
	ASSERT_EQ(blocks.blocks().size(), 3u);
	EXPECT_EQ(blocks.blocks()[0].count(), 4u);
	EXPECT_EQ(blocks.blocks()[1].count(), 4u);
	EXPECT_EQ(blocks.blocks()[2].count(), 1u);
	EXPECT_EQ(blocks.whole_blocks().size(), 2u) << "a quarter is no block";
}

TEST(TimeBlocks, GapIsABlockWithoutWaits)
{
	WaitCounts one;
	one.record(1000);
	TimeBlocks blocks(0, 10, 8);
	blocks.add(5, one);
	blocks.add(35, one);
	ASSERT_EQ(blocks.blocks().size(), 4u);
	EXPECT_EQ(blocks.blocks()[1].count(), 0u);
	EXPECT_EQ(blocks.blocks()[3].count(), 1u);
	blocks.add(~0ULL, one);
	EXPECT_LE(blocks.blocks().size(), 8u);
}

}  // namespace
}  // namespace punctual
