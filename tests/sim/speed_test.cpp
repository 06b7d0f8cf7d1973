// SPDX-License-Identifier: GPL-2.0-only
// What makes the simulator fast is exact: its queues against plain ones, and memory that does not grow with a run.
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <map>
#include <vector>

#include "scenarios.h"
#include "sim/dispatch_queue.h"
#include "sim/event_queue.h"
#include "sim/random.h"

namespace punctual::sim {
namespace {

using Key = std::pair<u64, u64>;  // when, and the how-manyth that was set

TEST(EventQueue, GivesWhatASortedListWouldGiveInAnyOrderOfSettingMovingAndCancelling)
{
	constexpr u32 kCpus = 3, kTasks = 5;
	Random random(1);
	EventQueue events(kCpus);
	std::map<Key, std::pair<EventKind, u32>> expected;
	std::map<std::pair<EventKind, u32>, Key> where;
	u64 now_ns = 0, sequence = 0;
	auto forget = [&](EventKind kind, u32 index) {
		if (auto at = where.find({kind, index}); at != where.end()) {
			expected.erase(at->second);
			where.erase(at);
		}
	};
	for (u32 i = 0; i < 20'000; i++) {
		const auto kind = static_cast<EventKind>(random.below(8));
		const u32 index = static_cast<u32>(random.below(kind < EventKind::wake ? kCpus : kTasks));
		const u64 at_ns = now_ns + random.below(20);
		switch (random.below(4)) {
		case 0:
			if (expected.empty())
				break;
			{
				const auto [key, what] = *expected.begin();
				const Event event = events.take();
				ASSERT_EQ(event.at_ns, key.first);
				ASSERT_EQ(event.kind, what.first);
				ASSERT_EQ(event.index, what.second);
				now_ns = event.at_ns;
				expected.erase(expected.begin());
				if (what.first != EventKind::kick)
					where.erase(what);
			}
			break;
		case 1:
			if (kind == EventKind::kick)
				break;
			events.cancel(kind, index);
			forget(kind, index);
			break;
		default:
			if (kind == EventKind::kick) {
				events.add(at_ns, kind, index);
			} else {
				events.set(at_ns, kind, index);
				forget(kind, index);
				where[{kind, index}] = {at_ns, sequence};
			}
			expected[{at_ns, sequence++}] = {kind, index};
		}
		ASSERT_EQ(events.empty(), expected.empty());
	}
}

TEST(DispatchQueue, KeepsTheOrderOfKeysAndOfArrivalAmongEqualOnes)
{
	Random random(2);
	DispatchQueue queue;
	std::deque<Task> tasks(200);
	std::vector<const Task*> expected;
	for (u32 i = 0; i < 5'000; i++) {
		Task& task = tasks[random.below(tasks.size())];
		const auto at = std::ranges::find(expected, &task);
		if (at != expected.end()) {
			queue.remove(task);
			expected.erase(at);
		} else {
			task.key = ~0ULL - 10 + random.below(40);  // across the wrap
			queue.insert(task);
			expected.insert(std::ranges::find_if(expected,
							     [&](const Task* other) {
								     return static_cast<s64>(other->key - task.key) > 0;
							     }),
					&task);
		}
		ASSERT_TRUE(std::ranges::equal(queue.tasks(), expected)) << "step " << i;
	}
}

TEST(Random, LogarithmIsThatOfMathematics)
{
	for (double x : {1.0, 0.99999, 0.9, 0.7071, 0.5, 0.3, 0.1, 1e-3, 1e-9, 0x1p-53})
		EXPECT_NEAR(Random::natural_log(x), std::log(x), 1e-12) << x;
}

// Bytes that a release, a compiler or a library must not change.
TEST(Random, DrawsAreFixedForAllTime)
{
	Random random(42);
	u64 sum = 0;
	for (u32 i = 0; i < 100'000; i++)
		sum = (sum ^ random.exponential(1'000'000)) * 0x100000001b3ULL;
	EXPECT_EQ(sum, 544072421982259184ULL);
}

// Who never sleeps has no end of its work that would have to be remembered each time it is preempted.
TEST(EventQueue, EventsOfARunAreNoneThatSomethingElseHasMadeVoid)
{
	Scenario scenario;
	scenario.duration_ns = kSecond;
	scenario.tasks = {spinner(), spinner()};
	const Outcome outcome = simulate(scenario);
	const u64 nr_ticks = kSecond / (kSecond / scenario.machine.hz);
	EXPECT_LE(outcome.nr_events, 4 * nr_ticks);  // a tick, what it causes, the switch; and some at the start
}

}  // namespace
}  // namespace punctual::sim
