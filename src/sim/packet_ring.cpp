// SPDX-License-Identifier: GPL-2.0-only
#include "sim/packet_ring.h"

#include <algorithm>

namespace punctual::sim {

void PacketRing::start(const NicSpec& nic, const Random& random, u64 start_ns, u64 until_ns)
{
	nic_ = &nic;
	random_ = random;
	sizes_ = Random(Random(random).next(), 1);
	slots_.assign(std::max(nic.ring, 1U), 0);
	until_ns_ = until_ns;
	phase_until_ns_ = start_ns;
	burst_left_ = std::max(nic.burst, 1U);
	next_ns_ = start_ns;
	if (next_ns_ >= until_ns_)
		next_ns_ = ~0ULL;
}

// Each phase draws its length when the one before it is over.
u64 PacketRing::gap_ns()
{
	const u64 mean_ns = nic_->interval_ns;

	switch (nic_->arrivals) {
	case Arrivals::poisson:
		return random_.exponential(mean_ns);
	case Arrivals::on_off:
	case Arrivals::mmpp: {
		const bool is_mmpp = nic_->arrivals == Arrivals::mmpp;
		u64 at_ns = next_ns_;
		for (u32 phases = 0; at_ns >= phase_until_ns_ && phases < 64; phases++) {
			is_on_ = !is_on_;
			phase_until_ns_ = std::max(phase_until_ns_, at_ns) + random_.exponential(nic_->phase_ns) + 1;
			if (!is_on_ && !is_mmpp)
				at_ns = phase_until_ns_;  // nothing comes
		}
		if (!is_mmpp)
			return at_ns - next_ns_ + mean_ns / 2;
		return random_.exponential(is_on_ ? mean_ns * 5 / 9 : mean_ns * 5);
	}
	default:
		return mean_ns;
	}
}

void PacketRing::draw()
{
	if (nic_->arrivals == Arrivals::bursts && --burst_left_)
		return;  // of the same moment
	burst_left_ = std::max(nic_->burst, 1U);
	next_ns_ += std::max<u64>(gap_ns(), 1);
	if (next_ns_ >= until_ns_)
		next_ns_ = ~0ULL;
}

void PacketRing::admit(u64 now_ns, u64 count_from_ns)
{
	while (next_ns_ <= now_ns) {
		if (filled_ == slots_.size()) {
			nr_lost_ += next_ns_ >= count_from_ns;
		} else {
			const size_t tail = head_ + filled_++;
			slots_[tail < slots_.size() ? tail : tail - slots_.size()] = next_ns_;
		}
		draw();
	}
}

void PacketRing::pop()
{
	head_ = head_ + 1 < slots_.size() ? head_ + 1 : 0;
	filled_--;
}

// The simple IMIX: 7 packets of 64 bytes, 4 of 570, 1 of 1518.
u32 PacketRing::work_factor()
{
	if (!nic_->imix)
		return 1;
	const u64 draw = sizes_.below(12);
	return draw < 7 ? 1 : draw < 11 ? 2 : 4;
}

}  // namespace punctual::sim
