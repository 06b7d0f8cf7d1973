// SPDX-License-Identifier: GPL-2.0-only
#include "abi/loglin.h"

#include <gtest/gtest.h>

#include <random>

namespace {

constexpr u32 kBitsTried[] = {1, 3, 4, LOGLIN_RUNQ_BITS, LOGLIN_FINE_BITS, 16};

// Values of every magnitude: all powers of two with their neighbours, and random ones of random width.
std::vector<u64> values_of_all_sizes()
{
	std::vector<u64> values{0, 1, 2, 3, ~0ULL, ~0ULL - 1};
	for (u32 bit = 2; bit < 64; ++bit)
		values.insert(values.end(), {(1ULL << bit) - 1, 1ULL << bit, (1ULL << bit) + 1});
	std::mt19937_64 random(7);
	for (int i = 0; i < 20000; ++i) {
		u64 value = random();
		values.push_back(value >> (random() % 64));
	}
	return values;
}

TEST(Loglin, BucketContainsItsValue)
{
	for (u32 bits : kBitsTried)
		for (u64 value : values_of_all_sizes()) {
			u32 index = loglin_index(value, bits);
			ASSERT_LE(loglin_min(index, bits), value);
			ASSERT_GE(loglin_max(index, bits), value);
			ASSERT_LT(index, loglin_buckets(bits, 64));
		}
}

TEST(Loglin, BucketsLieEndToEndFromZeroToTheLargestValue)
{
	for (u32 bits : kBitsTried) {
		u32 last = loglin_buckets(bits, 64) - 1;
		EXPECT_EQ(loglin_min(0, bits), 0u);
		EXPECT_EQ(loglin_max(last, bits), ~0ULL);
		for (u32 index = 0; index < last; ++index)
			ASSERT_EQ(loglin_max(index, bits) + 1, loglin_min(index + 1, bits)) << "bits " << bits;
	}
}

TEST(Loglin, IndexAndBoundsAreInverse)
{
	for (u32 bits : kBitsTried)
		for (u32 index = 0; index < loglin_buckets(bits, 64); ++index) {
			ASSERT_EQ(loglin_index(loglin_min(index, bits), bits), index);
			ASSERT_EQ(loglin_index(loglin_max(index, bits), bits), index);
		}
}

TEST(Loglin, BucketIsNarrowerThanItsPromise)
{
	for (u32 bits : kBitsTried)
		for (u32 index = 0; index < loglin_buckets(bits, 64); ++index) {
			u64 width_minus_1 = loglin_max(index, bits) - loglin_min(index, bits);
			// width <= min / 2^bits: what makes a published percentile true to 1/2^bits.
			ASSERT_LE(width_minus_1, loglin_min(index, bits) >> bits) << "index " << index;
		}
}

TEST(Loglin, SmallValuesAreExact)
{
	for (u64 value = 0; value < (2ULL << LOGLIN_FINE_BITS); ++value)
		ASSERT_EQ(loglin_index(value, LOGLIN_FINE_BITS), value);
}

TEST(Loglin, CappedIndexStaysInsideItsArray)
{
	for (u64 value : values_of_all_sizes()) {
		u32 index = loglin_index_capped(value, LOGLIN_RUNQ_BITS, LOGLIN_RUNQ_VALUE_BITS);
		ASSERT_LT(index, LOGLIN_RUNQ_BUCKETS);
		if (value < 1ULL << LOGLIN_RUNQ_VALUE_BITS)
			ASSERT_EQ(index, loglin_index(value, LOGLIN_RUNQ_BITS));
		else
			ASSERT_EQ(index, LOGLIN_RUNQ_BUCKETS - 1);
	}
}

TEST(Loglin, ConstantsAgreeWithTheFormula)
{
	EXPECT_EQ(LOGLIN_RUNQ_BUCKETS, loglin_buckets(LOGLIN_RUNQ_BITS, LOGLIN_RUNQ_VALUE_BITS));
	EXPECT_EQ(LOGLIN_FINE_BUCKETS, loglin_buckets(LOGLIN_FINE_BITS, 64));
	EXPECT_EQ(LOGLIN_RUNQ_BUCKETS, 1024u);  // 4 KiB of u32 counters: one page a histogram in the kernel
}

}  // namespace
