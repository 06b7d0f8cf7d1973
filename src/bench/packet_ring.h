// SPDX-License-Identifier: GPL-2.0-only
// The receive ring of an emulated network card, fed by a schedule that was fixed before the run.
//
// A card writes packets while the program does not run, and drops them while the ring is full. Here
// nobody writes: the ring catches up at each poll. That is exact, not an approximation, because only
// the polling program takes packets out, so between two polls the ring can only fill.
// One thread. Does not allocate after construction.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace punctual {

class PacketRing {
 public:
	// `arrivals_ns` ascend and outlive the ring. Only packets from `count_from_ns` on are counted:
	// those before it are warm-up. REQUIRES: capacity > 0.
	PacketRing(std::span<const uint64_t> arrivals_ns, size_t capacity, uint64_t count_from_ns = 0)
	    : arrivals_ns_(arrivals_ns), slots_ns_(capacity), count_from_ns_(count_from_ns)
	{}

	// Takes in every packet that has arrived by now_ns, in order; a packet that finds the ring full is lost.
	void admit(uint64_t now_ns);

	bool empty() const { return filled_ == 0; }
	// The oldest packet: its scheduled arrival. REQUIRES: !empty().
	uint64_t pop();

	// No packet is left and none will come.
	bool finished() const { return empty() && next_ == arrivals_ns_.size(); }
	// REQUIRES: empty() and !finished().
	uint64_t next_arrival_ns() const { return arrivals_ns_[next_]; }

	// Counted packets only. After the last one was popped, offered = popped + dropped.
	uint64_t offered() const { return offered_; }
	uint64_t dropped() const { return dropped_; }
	uint64_t popped() const { return popped_; }

 private:
	std::span<const uint64_t> arrivals_ns_;
	std::vector<uint64_t> slots_ns_;
	uint64_t count_from_ns_;
	size_t next_ = 0;  // first packet that has not arrived yet
	size_t head_ = 0;  // slot of the oldest packet
	size_t filled_ = 0;
	uint64_t offered_ = 0;
	uint64_t dropped_ = 0;
	uint64_t popped_ = 0;
};

inline void PacketRing::admit(uint64_t now_ns)
{
	for (; next_ < arrivals_ns_.size() && arrivals_ns_[next_] <= now_ns; next_++) {
		const uint64_t arrival_ns = arrivals_ns_[next_];
		const bool counted = arrival_ns >= count_from_ns_;
		offered_ += counted;
		if (filled_ == slots_ns_.size()) {
			dropped_ += counted;
			continue;
		}
		const size_t tail = head_ + filled_;
		slots_ns_[tail < slots_ns_.size() ? tail : tail - slots_ns_.size()] = arrival_ns;
		filled_++;
	}
}

inline uint64_t PacketRing::pop()
{
	const uint64_t arrival_ns = slots_ns_[head_];
	head_ = head_ + 1 < slots_ns_.size() ? head_ + 1 : 0;
	filled_--;
	popped_ += arrival_ns >= count_from_ns_;
	return arrival_ns;
}

// The packet function: one packet after the other, asleep when there is none. `World` gives
//   uint64_t now_ns(); void work(); void sleep_until(uint64_t ns); void done(uint64_t arrival_ns, uint64_t now_ns);
// so that the same loop runs against the real clock and, in tests, against an invented one.
// The card interrupts rx_delay_ns after a packet came into an empty ring (`ethtool -C rx-usecs`); whoever runs already
// polls, and needs no interrupt.
template <typename World>
void serve_packets(PacketRing& ring, World& world, uint64_t rx_delay_ns = 0)
{
	uint64_t now_ns = world.now_ns();
	for (ring.admit(now_ns); !ring.finished(); ring.admit(now_ns)) {
		if (ring.empty()) {
			world.sleep_until(ring.next_arrival_ns() + rx_delay_ns);
			now_ns = world.now_ns();
			continue;
		}
		const uint64_t arrival_ns = ring.pop();
		world.work();
		now_ns = world.now_ns();
		world.done(arrival_ns, now_ns);
	}
}

}  // namespace punctual
