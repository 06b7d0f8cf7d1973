// SPDX-License-Identifier: GPL-2.0-only
// Adds up what the kernel counts in u32 into u64. Part of runq/, shown to no other folder.
#pragma once

#include <span>
#include <vector>

#include "abi/runq.h"
#include "measure/waits.h"

namespace punctual {

class Counter {
 public:
	// `parts`: all the histograms that this one is the sum of, as they stand now. Right as long as no bucket of the
	// sum grows by 2^32 between two calls: an hour at a million waits a second.
	void update(std::span<const runq_histogram* const> parts);
	const WaitCounts& total() const { return total_; }

 private:
	std::vector<u32> last_;  // of each bucket, modulo 2^32
	WaitCounts total_;
};

}  // namespace punctual
