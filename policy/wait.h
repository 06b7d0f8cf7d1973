/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When a task begins to wait for a CPU, and when it stops: the rules of docs/runq.md, one function an event.
 *
 * The caller leaves out the idle task. `nr_switches` is how often the task has left a CPU by the kernel's own count: a
 * stamp from before a switch that nobody told us of is known by it, and no wait is counted from there.
 */
#pragma once

#include "abi/types.h"

enum wait_kind : u32 { WAIT_WAKEUP, WAIT_PREEMPTED, WAIT_NEW, WAIT_KINDS };

struct wait_state {
	u64 since_ns; /* 0: it does not wait */
	u64 nr_switches;
	enum wait_kind kind;
	u32 is_leaving; /* it still had its CPU: it waits only if it was on its way off it */
};

enum wait_verdict : u32 {
	WAIT_NOTHING,
	WAIT_BEGAN,
	WAIT_ENDED,
	WAIT_WHILE_RUNNING,  /* a wakeup that begins no wait, or one of a task that leaves its CPU */
	WAIT_WHILE_QUEUED,   /* a wakeup within a wait: the first counts */
	WAIT_UNKNOWN_START,  /* it waited before we looked */
	WAIT_ENDS_TOO_EARLY, /* by the clocks of two CPUs */
	WAIT_STALE,          /* it ran in between, and we were not told: a wait is lost */
};

static inline void wait_begin(struct wait_state* wait, enum wait_kind kind, u64 now_ns, u64 nr_switches)
{
	wait->since_ns = now_ns;
	wait->nr_switches = nr_switches;
	wait->kind = kind;
	wait->is_leaving = false;
}

/*
 * Who blocks has its CPU until the next task is found, and may be woken meanwhile. That is told from a wakeup that
 * changed nothing only later: after the one no other comes before it gets a CPU again.
 */
static inline enum wait_verdict wait_at_wakeup(struct wait_state* wait, bool on_cpu, u64 now_ns, u64 nr_switches)
{
	if (on_cpu) {
		wait_begin(wait, WAIT_WAKEUP, now_ns, nr_switches + 1);
		wait->is_leaving = true;
		return WAIT_WHILE_RUNNING;
	}
	if (wait->since_ns == 0 || wait->is_leaving) {
		wait_begin(wait, WAIT_WAKEUP, now_ns, nr_switches);
		return WAIT_BEGAN;
	}
	if (wait->nr_switches == nr_switches)
		return WAIT_WHILE_QUEUED;
	wait_begin(wait, WAIT_WAKEUP, now_ns, nr_switches);
	return WAIT_STALE;
}

static inline void wait_at_creation(struct wait_state* wait, u64 now_ns, u64 nr_switches)
{
	wait_begin(wait, WAIT_NEW, now_ns, nr_switches);
}

/* Overwrites: whatever stamp a running task has is wrong. */
static inline void wait_at_switch_out(struct wait_state* wait, bool runnable, u64 now_ns, u64 nr_switches)
{
	if (runnable)
		wait_begin(wait, WAIT_PREEMPTED, now_ns, nr_switches);
	else
		wait->since_ns = 0;
}

/* WAIT_ENDED: the wait is over, and took from since_ns (as it was before) to now_ns. */
static inline enum wait_verdict wait_at_switch_in(struct wait_state* wait, u64 now_ns, u64 nr_switches)
{
	u64 since_ns = wait->since_ns;

	wait->since_ns = 0;
	if (since_ns == 0)
		return WAIT_UNKNOWN_START;
	if (wait->nr_switches != nr_switches)
		return WAIT_STALE;
	return now_ns < since_ns ? WAIT_ENDS_TOO_EARLY : WAIT_ENDED;
}

/* How long a runner had the CPU during a wait. */
static inline u64 wait_overlap_ns(u64 wait_from_ns, u64 wait_to_ns, u64 from_ns, u64 to_ns)
{
	u64 begin_ns = from_ns > wait_from_ns ? from_ns : wait_from_ns;
	u64 end_ns = to_ns < wait_to_ns ? to_ns : wait_to_ns;

	return end_ns > begin_ns ? end_ns - begin_ns : 0;
}

/* One event more in the second that began at *from_ns? At most nr_max. */
static inline bool wait_event_allowed(u64* from_ns, u32* nr, u64 now_ns, u32 nr_max)
{
	if (now_ns - *from_ns >= 1000000000ULL) {
		*from_ns = now_ns;
		*nr = 0;
	}
	if (*nr >= nr_max)
		return false;
	(*nr)++;
	return true;
}
