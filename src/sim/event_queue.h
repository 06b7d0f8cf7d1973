// SPDX-License-Identifier: GPL-2.0-only
// What happens next. Events of one moment come in the order in which they were set, so a run is the same each time.
//
// Each CPU and each task has one place for each kind of event that concerns it: to set it again moves it, and what is
// cancelled is gone, so the queue never holds a void event and does not grow with the length of a run. Kinds that
// may come several times (kEventPooled and up) take a place from a pool. A heap of four children a node knows where
// each place lies in it; it allocates only when more events are set at a time than ever before. One thread.
#pragma once

#include <vector>

#include "abi/types.h"

namespace punctual::sim {

enum class EventKind : u8 {
	// One a CPU:
	resched,      // a CPU is told to choose again
	switch_done,  // a CPU has switched, and lets go of its run-queue lock
	interrupted,  // an interrupt on it is over
	tick,
	timer,  // the scheduler's own
	work,   // the running task finished what it had to do
	// One a task:
	wake,     // a sleep is over
	packets,  // some arrive
	// Any number:
	kick,    // as resched on behalf of the scheduler, which may want the running task to leave
	change,  // somebody changes the machine
	mask,    // a task asked for other CPUs
	sample,  // the audit looks
	window,  // the scheduler judges what happened in it
	count,   // what is counted begins, or ends
};

constexpr u32 kCpuEvents = 6, kTaskEvents = 2;

struct Event {
	u64 at_ns;
	u32 index;  // of the CPU, task or change
	u32 data;
	EventKind kind;
};

class EventQueue {
 public:
	explicit EventQueue(u32 nr_cpus);

	// The event of that kind for a CPU or a task: there is one, it moves.
	void set(u64 at_ns, EventKind kind, u32 index, u32 data = 0);
	void cancel(EventKind kind, u32 index);
	// One more, of a kind that may come several times.
	void add(u64 at_ns, EventKind kind, u32 index, u32 data = 0);

	bool empty() const { return heap_.empty(); }
	u64 next_ns() const { return heap_.front().at_ns; }  // REQUIRES: !empty()
	Event take();                                        // the next one

 private:
	static constexpr u32 kNowhere = ~0U;
	static constexpr u32 kChildren = 4;

	struct Entry {
		u64 at_ns;
		u64 sequence;
		u32 place;
	};
	struct Place {
		u32 position;  // in heap_; kNowhere: not set
		u32 index;
		u32 data;
		EventKind kind;
	};

	u32 place_of(EventKind kind, u32 index);
	void insert(u32 place, u64 at_ns);
	void remove(u32 position);
	void rise(u32 position, const Entry& entry);
	void sink(u32 position, const Entry& entry);
	static bool is_before(const Entry& a, const Entry& b)
	{
		return a.at_ns != b.at_ns ? a.at_ns < b.at_ns : a.sequence < b.sequence;
	}
	void put(u32 position, const Entry& entry)
	{
		heap_[position] = entry;
		places_[entry.place].position = position;
	}

	std::vector<Entry> heap_;
	std::vector<Place> places_;     // of CPUs first, then of tasks and of the pool as they came
	std::vector<u32> task_places_;  // by task and kind
	std::vector<u32> pool_;         // places that are free
	u64 sequence_ = 0;
};

}  // namespace punctual::sim
