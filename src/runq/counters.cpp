// SPDX-License-Identifier: GPL-2.0-only
#include "runq/counters.h"

#include <algorithm>

namespace punctual {

void Counter::update(std::span<const runq_histogram* const> parts)
{
	u64 sum_ns = 0;
	for (const runq_histogram* part : parts) {
		sum_ns += part->sum_ns;
		total_.max_ns = std::max(total_.max_ns, part->max_ns);
	}
	if (sum_ns == total_.sum_ns && total_.max_ns == 0 && last_.empty() &&
	    std::ranges::all_of(parts, [](const runq_histogram* part) {
		    return std::ranges::all_of(part->buckets, [](u32 nr) { return nr == 0; });
	    }))
		return;  // nothing yet: most CPUs of a large machine
	last_.resize(LOGLIN_RUNQ_BUCKETS);
	total_.buckets.resize(LOGLIN_RUNQ_BUCKETS);
	total_.sum_ns = sum_ns;
	for (u32 bucket = 0; bucket < LOGLIN_RUNQ_BUCKETS; bucket++) {
		u32 now = 0;
		for (const runq_histogram* part : parts)
			now += part->buckets[bucket];
		total_.buckets[bucket] += static_cast<u32>(now - last_[bucket]);
		last_[bucket] = now;
	}
}

}  // namespace punctual
