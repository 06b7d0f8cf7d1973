// SPDX-License-Identifier: GPL-2.0-only
// The receive ring against a naive model that plays every arrival and every pop as its own event.
#include <algorithm>
#include <deque>
#include <random>

#include <gtest/gtest.h>

#include "bench/packet_ring.h"

namespace punctual {
namespace {

// A card that really writes packets one by one, at their time.
struct NaiveRing {
	size_t capacity;
	std::deque<uint64_t> queue{};
	std::vector<uint64_t> lost{};

	void arrive(uint64_t at_ns)
	{
		if (queue.size() == capacity)
			lost.push_back(at_ns);
		else
			queue.push_back(at_ns);
	}
};

// An invented clock: work takes what the test says, sleeps oversleep by what the test says.
struct InventedWorld {
	uint64_t time_ns = 0;
	std::mt19937_64 random{1};
	uint64_t work_max_ns = 0;
	uint64_t oversleep_max_ns = 0;
	uint64_t sleeps = 0;
	std::vector<std::pair<uint64_t, uint64_t>> served{};

	uint64_t now_ns() const { return time_ns; }
	void work() { time_ns += random() % (work_max_ns + 1); }
	void sleep_until(uint64_t at_ns)
	{
		sleeps++;
		time_ns = std::max(time_ns, at_ns) + random() % (oversleep_max_ns + 1);
	}
	void done(uint64_t arrival_ns, uint64_t at_ns) { served.emplace_back(arrival_ns, at_ns); }
};

std::vector<uint64_t> random_arrivals(std::mt19937_64& random, size_t count)
{
	std::vector<uint64_t> arrivals_ns;
	arrivals_ns.reserve(count);
	uint64_t at_ns = 0;
	for (size_t i = 0; i < count; i++)
		arrivals_ns.push_back(at_ns += random() % 20);  // some at the same moment
	return arrivals_ns;
}

TEST(PacketRing, PollingLateLosesTheSamePacketsAsACardThatWritesAtOnce)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		std::mt19937_64 random(seed);
		const std::vector<uint64_t> arrivals_ns = random_arrivals(random, 500);
		const size_t capacity = 1 + random() % 16;
		PacketRing ring(arrivals_ns, capacity);
		NaiveRing naive{capacity};
		size_t arrived = 0;
		for (uint64_t now_ns = 0; !ring.finished(); now_ns += random() % 100) {
			ring.admit(now_ns);
			for (; arrived < arrivals_ns.size() && arrivals_ns[arrived] <= now_ns; arrived++)
				naive.arrive(arrivals_ns[arrived]);
			for (uint64_t pops = random() % 8; pops > 0 && !ring.empty(); pops--) {
				ASSERT_EQ(ring.pop(), naive.queue.front()) << "seed " << seed;
				naive.queue.pop_front();
			}
			ASSERT_EQ(ring.empty(), naive.queue.empty());
			ASSERT_EQ(ring.dropped(), naive.lost.size());
		}
		EXPECT_EQ(arrived, arrivals_ns.size());
	}
}

TEST(PacketRing, EveryPacketIsServedOrDropped)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		InventedWorld world;
		world.random.seed(seed);
		world.work_max_ns = seed;  // from an idle server to one that is hopelessly behind
		world.oversleep_max_ns = 10 * seed;
		const std::vector<uint64_t> arrivals_ns = random_arrivals(world.random, 2000);
		PacketRing ring(arrivals_ns, 8);
		serve_packets(ring, world);
		EXPECT_EQ(ring.offered(), arrivals_ns.size());
		EXPECT_EQ(ring.offered(), ring.dropped() + ring.popped()) << "seed " << seed;
		EXPECT_EQ(ring.popped(), world.served.size());
		EXPECT_TRUE(ring.finished());
	}
}

TEST(PacketRing, PacketsLeaveInTheOrderOfTheirArrivalAndNeverBeforeIt)
{
	InventedWorld world;
	world.work_max_ns = 15;
	world.oversleep_max_ns = 100;
	const std::vector<uint64_t> arrivals_ns = random_arrivals(world.random, 3000);
	PacketRing ring(arrivals_ns, 4);
	serve_packets(ring, world);
	EXPECT_TRUE(std::ranges::is_sorted(world.served));
	for (const auto& [arrival_ns, at_ns] : world.served)
		ASSERT_GE(at_ns, arrival_ns);
}

TEST(PacketRing, AFullRingLosesTheNewestPacketsAndKeepsTheOldest)
{
	const std::vector<uint64_t> arrivals_ns = {1, 2, 3, 4, 5};
	PacketRing ring(arrivals_ns, 2);
	ring.admit(5);
	EXPECT_EQ(ring.dropped(), 3u);
	EXPECT_EQ(ring.pop(), 1u);
	EXPECT_EQ(ring.pop(), 2u);
	EXPECT_TRUE(ring.finished());
}

TEST(PacketRing, WarmUpPacketsTakeSlotsButAreNotCounted)
{
	const std::vector<uint64_t> arrivals_ns = {1, 2, 100, 101};
	PacketRing ring(arrivals_ns, 3, 100);
	ring.admit(200);  // the two of the warm-up push out the last one
	while (!ring.empty())
		ring.pop();
	EXPECT_EQ(ring.offered(), 2u);
	EXPECT_EQ(ring.dropped(), 1u);
	EXPECT_EQ(ring.popped(), 1u);
}

TEST(PacketRing, APacketThatIsDueIsServedWithoutSleeping)
{
	InventedWorld world;
	world.time_ns = 50;
	const std::vector<uint64_t> arrivals_ns = {10, 20, 50};
	PacketRing ring(arrivals_ns, 8);
	serve_packets(ring, world);
	EXPECT_EQ(world.sleeps, 0u);
	// A sleep that is not needed would be a wake-up that the scheduler under test is charged with.
	EXPECT_EQ(world.served.size(), 3u);
}

TEST(PacketRing, AnInterruptThatWaitsGathersABatchAndDelaysItsFirstPacketOnly)
{
	InventedWorld world;
	const std::vector<uint64_t> arrivals_ns = {100, 130, 149, 200};
	PacketRing ring(arrivals_ns, 8);
	serve_packets(ring, world, 50);
	EXPECT_EQ(world.sleeps, 2u);
	const std::vector<std::pair<uint64_t, uint64_t>> served = {{100, 150}, {130, 150}, {149, 150}, {200, 250}};
	EXPECT_EQ(world.served, served);
}

TEST(PacketRing, WhoRunsAlreadyNeedsNoInterrupt)
{
	InventedWorld world;
	world.time_ns = 100;
	const std::vector<uint64_t> arrivals_ns = {100};
	PacketRing ring(arrivals_ns, 8);
	serve_packets(ring, world, 50);
	EXPECT_EQ(world.sleeps, 0u);
	EXPECT_EQ(world.served.front().second, 100u);
}

}  // namespace
}  // namespace punctual
