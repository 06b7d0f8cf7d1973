// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include <gtest/gtest.h>

#include "abi/loglin.h"
#include "object/class_waits.h"

namespace punctual {
namespace {

void count(class_stats& row, u64 wait_ns, u64 times)
{
	row.nr_waits += times;
	row.wait_ns_sum += wait_ns * times;
	row.wait_ns_max = std::max(row.wait_ns_max, wait_ns);
	row.buckets[loglin_index_capped(wait_ns, WAIT_BITS, WAIT_VALUE_BITS)] += times;
}

TEST(ClassWaits, AQuantileIsNeverBelowTheWaitThatItStandsFor)
{
	class_stats row = {};
	count(row, 30'000, 990);
	count(row, 90'000, 10);
	EXPECT_GE(wait_quantile_ns(row, 0.5), 30'000u);
	EXPECT_LE(wait_quantile_ns(row, 0.5), 30'000u * 9 / 8);
	EXPECT_EQ(wait_quantile_ns(row, 0.999), 90'000u);  // never more than the maximum
	EXPECT_EQ(wait_quantile_ns(class_stats{}, 0.999), 0u);
}

TEST(ClassWaits, WhatWasCountedBeforeIsTakenOff)
{
	class_stats before = {};
	count(before, 500'000, 100);
	before.nr_missed = 100;
	class_stats after = before;
	count(after, 30'000, 1000);
	after.nr_missed += 3;
	const class_stats waits = class_waits_between(before, after);
	EXPECT_EQ(waits.nr_waits, 1000u);
	EXPECT_EQ(waits.nr_missed, 3u);
	EXPECT_EQ(waits.wait_ns_sum, 30'000'000u);
	EXPECT_EQ(waits.buckets[loglin_index_capped(500'000, WAIT_BITS, WAIT_VALUE_BITS)], 0u);
	// The waits of a start that was slow must not stand among those of the window.
	EXPECT_LT(wait_quantile_ns(waits, 0.999), 40'000u);
}

TEST(ClassWaits, TheQueueAndTheStartAddUpToTheMeanWait)
{
	class_stats row = {};
	count(row, 30'000, 3);
	count(row, 10'000, 1);  // put on an idle CPU at once: it was in no queue
	row.queue_ns_sum = 3 * 28'000;
	EXPECT_EQ(mean_parts(row).queue_ns, 21'000u);
	EXPECT_EQ(mean_parts(row).start_ns, 4'000u);
	EXPECT_EQ(mean_parts(class_stats{}).queue_ns + mean_parts(class_stats{}).start_ns, 0u);
}

}  // namespace
}  // namespace punctual
