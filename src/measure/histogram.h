// SPDX-License-Identifier: GPL-2.0-only
// A histogram of durations: counts in log-linear buckets, 0.8 % wide, over all of u64.
//
// It hides the bucket layout (abi/loglin.h) and owns its array of counts (59 KB), allocated once by
// the constructor: record() never allocates and costs a few nanoseconds. Count, minimum, maximum and
// sum are exact; quantiles err upwards only, by less than one bucket. One thread at a time.
#pragma once

#include <span>
#include <vector>

#include "abi/loglin.h"
#include "base/result.h"

namespace punctual {

// `count` values between min_ns and max_ns, both included.
struct HistogramBucket {
	u64 min_ns;
	u64 max_ns;
	u64 count;

	bool operator==(const HistogramBucket&) const = default;
};

class Histogram {
 public:
	static constexpr u32 kBits = LOGLIN_FINE_BITS;
	// No quantile lies more than this part above the value that it stands for.
	static constexpr double kErrorMax = 1.0 / (1 << kBits);

	Histogram() : counts_(LOGLIN_FINE_BUCKETS) {}

	// Reads back what buckets() and sum_ns() gave. Error (usage) when the buckets are not in ascending
	// order, are wider than the layout has them, are empty, or contradict the sum.
	static Result<Histogram> from_buckets(std::span<const HistogramBucket> buckets, u64 sum_ns);

	void record(u64 value_ns, u64 times = 1);
	void merge(const Histogram& other);  // as if all of other's values had been recorded here

	u64 count() const { return count_; }
	u64 min_ns() const { return count_ ? min_ns_ : 0; }
	u64 max_ns() const { return max_ns_; }
	u64 sum_ns() const { return sum_ns_; }  // stays at 2^64-1 when it would pass that (584 years)

	// The nearest-rank quantile: of all values in ascending order, the one numbered ceil(q * count),
	// counted from 1 (q is held between 0 and 1; q = 0 gives the first). As only its bucket is known,
	// the answer is that bucket's upper bound, and never more than max_ns(): a budget that holds here
	// holds in truth. 0 when nothing was recorded.
	u64 quantile_ns(double q) const;

	// All buckets that hold something, in ascending order. The first begins at the exact minimum and
	// the last ends at the exact maximum.
	std::vector<HistogramBucket> buckets() const;

 private:
	std::vector<u64> counts_;
	u64 count_ = 0;
	u64 min_ns_ = ~0ULL;
	u64 max_ns_ = 0;
	u64 sum_ns_ = 0;
};

inline void Histogram::record(u64 value_ns, u64 times)
{
	if (times == 0)
		return;
	counts_[loglin_index(value_ns, kBits)] += times;
	count_ += times;
	min_ns_ = value_ns < min_ns_ ? value_ns : min_ns_;
	max_ns_ = value_ns > max_ns_ ? value_ns : max_ns_;
	u64 added_ns;
	if (__builtin_mul_overflow(value_ns, times, &added_ns) || __builtin_add_overflow(sum_ns_, added_ns, &sum_ns_))
		sum_ns_ = ~0ULL;
}

}  // namespace punctual
