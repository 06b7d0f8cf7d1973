// SPDX-License-Identifier: GPL-2.0-only
#include "measure/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace punctual {
namespace {

constexpr u64 kLargest = ~0ULL;

// Latencies as a scheduler gives them: a narrow body and a heavy tail.
std::vector<u64> random_latencies(size_t count, u64 seed)
{
	std::mt19937_64 random(seed);
	std::lognormal_distribution<double> body(9, 0.3), tail(14, 1);
	std::vector<u64> values;
	for (size_t i = 0; i < count; ++i)
		values.push_back(static_cast<u64>(random() % 50 ? body(random) : tail(random)));
	return values;
}

Histogram histogram_of(const std::vector<u64>& values)
{
	Histogram histogram;
	for (u64 value : values)
		histogram.record(value);
	return histogram;
}

void expect_same(const Histogram& a, const Histogram& b)
{
	EXPECT_EQ(a.buckets(), b.buckets());
	EXPECT_EQ(a.count(), b.count());
	EXPECT_EQ(a.min_ns(), b.min_ns());
	EXPECT_EQ(a.max_ns(), b.max_ns());
	EXPECT_EQ(a.sum_ns(), b.sum_ns());
}

TEST(Histogram, QuantileIsNeverBelowTheTruthAndLessThanOneBucketAbove)
{
	for (u64 seed = 1; seed <= 20; ++seed) {
		std::vector<u64> values = random_latencies(1000 + seed * 37, seed);
		Histogram histogram = histogram_of(values);
		std::sort(values.begin(), values.end());
		for (u64 permille_10 = 1; permille_10 <= 10000; permille_10 += 7) {
			u64 rank = (permille_10 * values.size() + 9999) / 10000;  // ceil, in whole numbers
			u64 truth = values[rank - 1];
			u64 told = histogram.quantile_ns(static_cast<double>(permille_10) / 10000);
			ASSERT_GE(told, truth) << "q " << permille_10 << "/10000, seed " << seed;
			ASSERT_LE(static_cast<double>(told - truth), static_cast<double>(truth) * Histogram::kErrorMax);
		}
	}
}

TEST(Histogram, CountMinimumMaximumAndSumAreExact)
{
	std::vector<u64> values = random_latencies(5000, 3);
	Histogram histogram = histogram_of(values);
	u64 sum = 0;
	for (u64 value : values)
		sum += value;
	EXPECT_EQ(histogram.count(), values.size());
	EXPECT_EQ(histogram.min_ns(), *std::min_element(values.begin(), values.end()));
	EXPECT_EQ(histogram.max_ns(), *std::max_element(values.begin(), values.end()));
	EXPECT_EQ(histogram.sum_ns(), sum);
}

TEST(Histogram, RankIsCeilingOfTheExactProduct)
{
	Histogram histogram;
	for (u64 value = 1; value <= 100; ++value)  // small values have a bucket each: no rounding hides an error
		histogram.record(value);
	for (u64 percent = 1; percent <= 100; ++percent)
		EXPECT_EQ(histogram.quantile_ns(static_cast<double>(percent) / 100),
			  percent);  // 0.07 * 100 > 7 in binary
	EXPECT_EQ(histogram.quantile_ns(0.071), 8u);
	EXPECT_EQ(histogram.quantile_ns(0), 1u);
	EXPECT_EQ(histogram.quantile_ns(-1), 1u);
	EXPECT_EQ(histogram.quantile_ns(2), 100u);
	EXPECT_EQ(histogram.quantile_ns(std::nan("")), 1u);
}

TEST(Histogram, MaximumIsNotRoundedUp)
{
	Histogram histogram;
	histogram.record(1'000'001);
	EXPECT_EQ(histogram.quantile_ns(0.5), 1'000'001u);
	EXPECT_EQ(histogram.quantile_ns(1), 1'000'001u);
}

TEST(Histogram, EmptyGivesZeros)
{
	Histogram histogram;
	EXPECT_EQ(histogram.quantile_ns(0.99), 0u);
	EXPECT_EQ(histogram.min_ns(), 0u);
	EXPECT_EQ(histogram.max_ns(), 0u);
	EXPECT_TRUE(histogram.buckets().empty());
}

TEST(Histogram, TakesTheSmallestAndTheLargestValue)
{
	Histogram histogram;
	histogram.record(0);
	histogram.record(kLargest);
	histogram.record(kLargest);
	EXPECT_EQ(histogram.quantile_ns(0.1), 0u);
	EXPECT_EQ(histogram.quantile_ns(0.5), kLargest);
	EXPECT_EQ(histogram.min_ns(), 0u);
	EXPECT_EQ(histogram.sum_ns(), kLargest);  // stays there instead of wrapping to a small, believable number
}

TEST(Histogram, MergeEqualsRecordingBoth)
{
	std::vector<u64> first = random_latencies(3000, 11), second = random_latencies(700, 12), both = first;
	both.insert(both.end(), second.begin(), second.end());
	Histogram merged = histogram_of(first);
	merged.merge(histogram_of(second));
	expect_same(merged, histogram_of(both));

	merged.merge(Histogram());
	expect_same(merged, histogram_of(both));  // an empty arm must not pull the minimum to 0
}

TEST(Histogram, RecordingTimesEqualsRecordingRepeatedly)
{
	Histogram at_once, one_by_one;
	at_once.record(4711, 5);
	at_once.record(9, 0);
	for (int i = 0; i < 5; ++i)
		one_by_one.record(4711);
	expect_same(at_once, one_by_one);
}

TEST(Histogram, ReadsBackWhatItWrote)
{
	for (size_t count : {0, 1, 2, 4000}) {
		Histogram histogram = histogram_of(random_latencies(count, 5));
		Result<Histogram> read = Histogram::from_buckets(histogram.buckets(), histogram.sum_ns());
		ASSERT_TRUE(read) << read.error().what;
		expect_same(*read, histogram);
	}
}

TEST(Histogram, BucketsAreAscendingAndHoldAllValues)
{
	Histogram histogram = histogram_of(random_latencies(4000, 6));
	u64 count = 0, last_max = 0;
	for (const HistogramBucket& bucket : histogram.buckets()) {
		EXPECT_TRUE(count == 0 || bucket.min_ns > last_max);
		last_max = bucket.max_ns;
		count += bucket.count;
	}
	EXPECT_EQ(count, histogram.count());
}

TEST(Histogram, RefusesBucketsThatItCannotHaveWritten)
{
	auto refused = [](std::vector<HistogramBucket> buckets, u64 sum_ns) {
		return !Histogram::from_buckets(buckets, sum_ns);
	};
	EXPECT_FALSE(refused({{5, 5, 1}, {9, 9, 2}}, 23));
	EXPECT_TRUE(refused({{9, 9, 1}, {5, 5, 1}}, 14)) << "out of order";
	EXPECT_TRUE(refused({{5, 5, 1}, {5, 5, 1}}, 10)) << "twice the same";
	EXPECT_TRUE(refused({{5, 5, 0}}, 0)) << "empty bucket";
	EXPECT_TRUE(refused({{9, 5, 1}}, 9)) << "upside down";
	EXPECT_TRUE(refused({{1000, 2000, 1}}, 1500)) << "wider than a bucket";
	EXPECT_TRUE(refused({{5, 5, 1}}, 6)) << "sum contradicts";
	EXPECT_TRUE(refused({{5, 5, kLargest}, {9, 9, 1}}, kLargest)) << "counts wrap";
}

}  // namespace
}  // namespace punctual
