/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A normal task that was preempted for a budgeted one has not finished its turn. When nobody else
 * could run it sooner it stays on its CPU and continues as soon as the budgeted task sleeps: no
 * queueing, no dispatch, caches still warm.
 */
#pragma once

#include "abi/types.h"

struct resume_facts {
	u64 turn_ran_ns;   /* CPU time since its turn began */
	u64 turn_ns;       /* length of a turn: the slice of normal tasks */
	u64 turn_ns_min;   /* what is worth continuing for */
	bool in_turn;      /* it ran last on this CPU and its turn has not ended */
	bool pinned;       /* only this CPU may run it */
	bool others_first; /* a budgeted task is queued for this CPU, or somebody starves */
	u8 pad[5];
};

/*
 * What is left of its turn, to be run on its CPU; 0: it queues with the others. Not while a
 * budgeted task waits, or one that starves: the kernel runs what is on a CPU's own queue without asking for more.
 */
static inline u64 resume_ns(const struct resume_facts* facts)
{
	if (!facts->in_turn || !facts->pinned || facts->others_first ||
	    facts->turn_ran_ns + facts->turn_ns_min > facts->turn_ns)
		return 0;
	return facts->turn_ns - facts->turn_ran_ns;
}
