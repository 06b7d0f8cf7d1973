// SPDX-License-Identifier: GPL-2.0-only
// EEVDF as kernel/sched/fair.c has it in 6.18, for one run queue of one CPU: lag, eligibility, requests, run to parity,
// placement of sleepers, delayed dequeue. Pure arithmetic; who runs where is fair_shell.h's.
//
// Entities are tasks, or groups with a queue of their own below. The kernel keeps sums and a tree; here each question
// looks at all entities of the queue, which are few on one CPU, so there is nothing to keep in step.
#pragma once

#include <cstddef>
#include <vector>

#include "abi/types.h"

namespace punctual::sim {

struct FairQueue;

constexpr u64 kNiceZeroLoad = 1024;

struct FairEntity {
	s64 vruntime = 0;
	s64 deadline = 0;  // of its request, in virtual time
	s64 vlag = 0;      // while it is on no queue
	s64 vprot = 0;     // run to parity: until there the one that runs stays, if it is eligible
	u64 slice_ns = 0;  // its request
	u64 load = kNiceZeroLoad;
	u64 exec_ns_seen = 0;        // of its task's running time
	FairQueue* queue = nullptr;  // that it is on, or was on last
	FairQueue* below = nullptr;  // of a group: its own
	u32 task = 0;                // in the kernel's table, when it is one
	bool on_queue = false;
	bool is_delayed = false;  // asleep, and still on the queue until its lag is 0
	bool has_relative_deadline = false;
};

struct FairLimits {
	u64 base_slice_ns;
	u64 tick_ns;
};

struct FairQueue {
	std::vector<FairEntity*> entities;  // all that are on it, the running one too
	FairEntity* curr = nullptr;
	FairEntity* owner = nullptr;  // the group's entity above; none: the CPU's own queue
	s64 vruntime_min = 0;

	size_t nr_queued() const { return entities.size(); }
	u64 load() const;
	s64 average() const;  // avg_vruntime()
	bool is_eligible(const FairEntity& entity) const;
	FairEntity* pick(bool protect) const;  // pick_eevdf(); none: it is empty
	s64 lag_of(const FairEntity& entity, const FairLimits& limits) const;

	// True: the one that runs has to be chosen again.
	bool update_curr(u64 ran_ns, const FairLimits& limits);
	void set_curr(FairEntity* entity);  // set_next_entity()
	void place(FairEntity& entity, bool is_new, const FairLimits& limits);
	void enqueue(FairEntity& entity);
	// False: it stays, delayed.
	bool dequeue(FairEntity& entity, bool sleeps, bool may_delay, const FairLimits& limits);
	void requeue_delayed(FairEntity& entity, const FairLimits& limits);
	void reweight(FairEntity& entity, u64 load);

 private:
	void update_min();
	void remove(const FairEntity& entity);
};

// Running time in the virtual time of an entity.
s64 fair_delta(u64 ran_ns, const FairEntity& entity);

}  // namespace punctual::sim
