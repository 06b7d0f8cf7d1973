// SPDX-License-Identifier: GPL-2.0-only
// The receive ring of a simulated network card, and when its packets come: drawn one ahead, so that the ring can catch
// up whenever somebody looks. Between two looks it can only fill: that is exact, and packets need no events of their
// own.
#pragma once

#include <vector>

#include "sim/random.h"
#include "sim/scenario.h"

namespace punctual::sim {

class PacketRing {
 public:
	// The first packet comes within a gap of `start_ns`, none from `until_ns` on.
	void start(const NicSpec& nic, const Random& random, u64 start_ns, u64 until_ns);

	// Takes in what has come by now_ns. What finds the ring full is lost; lost ones are counted from count_from_ns
	// on.
	void admit(u64 now_ns, u64 count_from_ns);
	bool empty() const { return filled_ == 0; }
	u64 front() const { return slots_[head_]; }  // when the oldest came. REQUIRES: !empty()
	void pop();
	u64 next_ns() const { return next_ns_; }  // when the next one comes; ~0: none will
	u32 work_factor();                        // of the packet that is served next: what it costs, in run_ns

	u64 nr_lost() const { return nr_lost_; }

 private:
	u64 gap_ns();
	void draw();

	const NicSpec* nic_ = nullptr;
	Random random_{0};
	Random sizes_{0};
	std::vector<u64> slots_;
	size_t head_ = 0;
	size_t filled_ = 0;
	u64 next_ns_ = ~0ULL;
	u64 until_ns_ = 0;
	u64 phase_until_ns_ = 0;
	u32 burst_left_ = 0;
	bool is_on_ = false;
	u64 nr_lost_ = 0;
};

}  // namespace punctual::sim
