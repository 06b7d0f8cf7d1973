// SPDX-License-Identifier: GPL-2.0-only
#include "measure/time_blocks.h"

#include <algorithm>
#include <utility>

namespace punctual {

TimeBlocks::TimeBlocks(u64 start_ns, u64 block_ns, size_t blocks_max)
    : start_ns_(start_ns),
      block_ns_(std::max<u64>(block_ns, 1)),
      blocks_max_(std::max<size_t>(blocks_max, 2)),
      end_ns_(start_ns)
{}

void TimeBlocks::add(u64 end_ns, const WaitCounts& counts)
{
	end_ns_ = std::max(end_ns_, end_ns);
	// A stretch that ends where a block ends belongs to that block. Bounded: block_ns_ doubles each time.
	const u64 offset_ns = end_ns_ > start_ns_ ? end_ns_ - start_ns_ - 1 : 0;
	while (offset_ns / block_ns_ >= blocks_max_)
		join_neighbours();
	blocks_.resize(std::max<size_t>(blocks_.size(), offset_ns / block_ns_ + 1));
	blocks_.back().merge(counts);
}

std::vector<WaitCounts> TimeBlocks::whole_blocks() const
{
	std::vector<WaitCounts> whole = blocks_;
	if (!whole.empty() && (end_ns_ - start_ns_) - (whole.size() - 1) * block_ns_ < block_ns_ / 2)
		whole.pop_back();
	return whole;
}

void TimeBlocks::join_neighbours()
{
	for (size_t i = 0; i < blocks_.size(); i++)
		if (i % 2)
			blocks_[i / 2].merge(blocks_[i]);
		else if (i)
			blocks_[i / 2] = std::move(blocks_[i]);
	blocks_.resize((blocks_.size() + 1) / 2);
	block_ns_ *= 2;
}

}  // namespace punctual
