// SPDX-License-Identifier: GPL-2.0-only
#include "measure/histogram.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace punctual {
namespace {

// ceil(q * count), from 1 to count. 0.07 * 100 is 7.000000000000001 in binary floating point, and its
// ceiling would be the wrong rank: a product within rounding error of a whole number counts as that number.
u64 nearest_rank(double q, u64 count)
{
	if (!(q > 0))  // NaN too
		return 1;
	if (q >= 1)
		return count;
	double product = q * static_cast<double>(count);
	double whole = std::round(product);
	double rank = std::fabs(product - whole) <= 4 * DBL_EPSILON * product ? whole : std::ceil(product);
	if (rank >= static_cast<double>(count))
		return count;
	return std::max<u64>(static_cast<u64>(rank), 1);
}

u64 saturating_sum(u64 a, u64 b)
{
	u64 sum;
	return __builtin_add_overflow(a, b, &sum) ? ~0ULL : sum;
}

u64 saturating_product(u64 a, u64 b)
{
	u64 product;
	return __builtin_mul_overflow(a, b, &product) ? ~0ULL : product;
}

}  // namespace

u64 Histogram::quantile_ns(double q) const
{
	if (count_ == 0)
		return 0;
	u64 rank = nearest_rank(q, count_);
	u64 seen = 0;
	for (u32 index = loglin_index(min_ns_, kBits); index < LOGLIN_FINE_BUCKETS; ++index) {
		seen += counts_[index];
		if (seen >= rank)
			return std::min(loglin_max(index, kBits), max_ns_);
	}
	return max_ns_;
}

void Histogram::merge(const Histogram& other)
{
	for (u32 index = 0; index < LOGLIN_FINE_BUCKETS; ++index)
		counts_[index] += other.counts_[index];
	count_ += other.count_;
	min_ns_ = std::min(min_ns_, other.min_ns_);
	max_ns_ = std::max(max_ns_, other.max_ns_);
	sum_ns_ = saturating_sum(sum_ns_, other.sum_ns_);
}

std::vector<HistogramBucket> Histogram::buckets() const
{
	std::vector<HistogramBucket> buckets;
	for (u32 index = 0; index < LOGLIN_FINE_BUCKETS; ++index) {
		if (counts_[index] == 0)
			continue;
		buckets.push_back({std::max(loglin_min(index, kBits), min_ns_),
				   std::min(loglin_max(index, kBits), max_ns_), counts_[index]});
	}
	return buckets;
}

Result<Histogram> Histogram::from_buckets(std::span<const HistogramBucket> buckets, u64 sum_ns)
{
	Histogram histogram;
	s64 last_index = -1;
	u64 sum_ns_min = 0, sum_ns_max = 0;
	for (const HistogramBucket& bucket : buckets) {
		u32 index = loglin_index(bucket.min_ns, kBits);
		if (bucket.count == 0 || bucket.min_ns > bucket.max_ns || index != loglin_index(bucket.max_ns, kBits))
			return fail(
			    ExitCode::usage,
			    "histogram bucket {}..{} ns with count {} does not fit: use a file written by punctual",
			    bucket.min_ns, bucket.max_ns, bucket.count);
		if (static_cast<s64>(index) <= last_index)
			return fail(ExitCode::usage,
				    "histogram bucket {}..{} ns is out of order: use a file written by punctual",
				    bucket.min_ns, bucket.max_ns);
		if (__builtin_add_overflow(histogram.count_, bucket.count, &histogram.count_))
			return fail(ExitCode::usage, "histogram counts pass 2^64: use a file written by punctual");
		histogram.counts_[index] = bucket.count;
		last_index = index;
		sum_ns_min = saturating_sum(sum_ns_min, saturating_product(bucket.min_ns, bucket.count));
		sum_ns_max = saturating_sum(sum_ns_max, saturating_product(bucket.max_ns, bucket.count));
	}
	if (sum_ns < sum_ns_min || sum_ns > sum_ns_max)
		return fail(ExitCode::usage,
			    "histogram sum {} ns contradicts its buckets ({}..{} ns): use a file written by punctual",
			    sum_ns, sum_ns_min, sum_ns_max);
	if (!buckets.empty()) {
		histogram.min_ns_ = buckets.front().min_ns;
		histogram.max_ns_ = buckets.back().max_ns;
	}
	histogram.sum_ns_ = sum_ns;
	return histogram;
}

}  // namespace punctual
