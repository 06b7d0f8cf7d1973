// SPDX-License-Identifier: GPL-2.0-only
// What happens next. Events of one moment come in the order in which they were added, so a run is the same each
// time. Nothing is ever taken back: an event carries the generation of what it is about, and its receiver drops
// it when that has moved on.
#pragma once

#include <algorithm>
#include <vector>

#include "abi/types.h"

namespace punctual::sim {

enum class EventKind : u8 {
	resched,      // a CPU is told to choose again
	kick,         // the same on behalf of the scheduler, which may want the running task to leave
	switch_done,  // a CPU has switched, and lets go of its run-queue lock
	tick,
	timer,    // the scheduler's own
	work,     // the running task finished what it had to do
	wake,     // a sleep is over
	packets,  // some arrive
	change,   // somebody changes the machine
	sample,   // the audit looks
	window,   // the scheduler judges what happened in it
};

struct Event {
	u64 at_ns;
	u64 sequence;
	u32 index;  // of the CPU, task or change
	u32 generation;
	EventKind kind;
};

class EventQueue {
 public:
	void add(u64 at_ns, EventKind kind, u32 index, u32 generation = 0)
	{
		heap_.push_back({at_ns, sequence_++, index, generation, kind});
		std::push_heap(heap_.begin(), heap_.end(), is_later);
	}
	bool empty() const { return heap_.empty(); }
	u64 next_ns() const { return heap_.front().at_ns; }
	Event take()
	{
		std::pop_heap(heap_.begin(), heap_.end(), is_later);
		Event event = heap_.back();
		heap_.pop_back();
		return event;
	}

 private:
	static bool is_later(const Event& a, const Event& b)
	{
		return a.at_ns != b.at_ns ? a.at_ns > b.at_ns : a.sequence > b.sequence;
	}

	std::vector<Event> heap_;
	u64 sequence_ = 0;
};

}  // namespace punctual::sim
