// SPDX-License-Identifier: GPL-2.0-only
// Waits sorted into blocks of time of equal length, for pictures over time and for statistics of what is not
// independent from one moment to the next. How long it will take need not be known: when there are too many blocks,
// neighbours are joined and a block becomes twice as long.
#pragma once

#include <vector>

#include "measure/waits.h"

namespace punctual {

class TimeBlocks {
 public:
	// From start_ns on, at first block_ns long (at least 1), at most blocks_max (at least 2) of them.
	TimeBlocks(u64 start_ns, u64 block_ns, size_t blocks_max);

	// Waits of a stretch that ended at end_ns. Later than anything before, or it is put into the last block.
	void add(u64 end_ns, const WaitCounts& counts);

	const std::vector<WaitCounts>& blocks() const { return blocks_; }  // the last one may be short
	u64 start_ns() const { return start_ns_; }
	u64 block_ns() const { return block_ns_; }
	u64 end_ns() const { return end_ns_; }  // of the last stretch
	// Without the last one when less than half of it was seen: as a sample it would weigh too much.
	std::vector<WaitCounts> whole_blocks() const;

 private:
	void join_neighbours();

	u64 start_ns_;
	u64 block_ns_;
	size_t blocks_max_;
	u64 end_ns_;
	std::vector<WaitCounts> blocks_;
};

}  // namespace punctual
