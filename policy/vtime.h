/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Weighted fair sharing by virtual time: a task's vtime grows with the CPU time it used, slower
 * the heavier it is; the earliest vtime runs next. Decisions only: facts come in as values.
 */
#pragma once

#include "abi/types.h"

constexpr u32 WEIGHT_DEFAULT = 100; /* nice 0, cpu.weight 100: kernel/sched/ext.c, sched_weight_to_cgroup() */

/* True when a is earlier than b. Correct across the wrap of u64. */
static inline bool vtime_before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

/* How far the vtime of a task of this weight moves for ran_ns on a CPU. Weight 0 cannot come. */
static inline u64 vtime_charge(u64 ran_ns, u32 weight)
{
	return ran_ns * WEIGHT_DEFAULT / (weight ? weight : 1);
}

struct vtime_limits {
	u64 credit_ns_max; /* what a sleeper keeps of its unused time */
	u64 debt_ns_max;   /* what a task can owe, e.g. for running alone on a machine that was idle */
};

/*
 * The vtime with which a task joins the queue: its own, but no further from the clock than the
 * limits. Without the first, one long sleep would starve the rest; without the second, a light task
 * that once had a CPU for itself would wait until all others had caught up. The clock is the vtime
 * of the task that started last.
 */
static inline u64 vtime_on_join(u64 vtime, u64 clock, const struct vtime_limits* limits)
{
	u64 earliest = clock - limits->credit_ns_max; /* may wrap: only differences matter */
	u64 latest = clock + limits->debt_ns_max;

	if (vtime_before(vtime, earliest))
		return earliest;
	return vtime_before(latest, vtime) ? latest : vtime;
}
