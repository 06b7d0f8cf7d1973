/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Placement: on which CPU a budgeted task waits that found no idle one. Its previous CPU, if that runs
 * normal work: it may be taken at the last safe moment. Else another of the same cache that does.
 * Another cache only when the last safe moment has come and nobody of its own can be taken: its data
 * are in the old one, and the deadlines of the other are not compared with its own.
 *
 * Looking at a CPU that others write to is a cache miss, so the number looked at has a bound that does
 * not grow with the machine.
 */
#pragma once

#include "abi/sched.h"
#include "policy/latency.h"

/*
 * At a wakeup. When one CPU in two runs budgeted tasks, eight find one that does not in 255 of 256 times; should they
 * not, the timer looks further. URGENT: at a last safe moment, in all.
 */
constexpr u32 WAKEUP_CPUS_MAX = 8;
constexpr u32 URGENT_CPUS_MAX = 64;
constexpr u32 URGENT_LLCS_MAX = 16;

/* From worst to best. */
enum candidate : u32 {
	CANDIDATE_OUT_OF_SCOPE, /* budgets do not count there */
	CANDIDATE_BUSY,         /* with somebody whom the task may not preempt, or only by an earlier deadline */
	CANDIDATE_PREEMPTIBLE,
};

static inline enum candidate rank_candidate(const struct running_facts* running, bool in_scope, u64 now_ns, u64 key)
{
	if (!in_scope)
		return CANDIDATE_OUT_OF_SCOPE;
	if (running->kind != RUNNING_NORMAL || kept_until_ns(running, key) > now_ns)
		return CANDIDATE_BUSY;
	return CANDIDATE_PREEMPTIBLE;
}

/* The same for the previous CPU, without the time: what may be taken at any moment. */
static inline bool is_best_candidate(const struct running_facts* running, bool in_scope)
{
	return rank_candidate(running, in_scope, 0, deadline_key(0)) == CANDIDATE_PREEMPTIBLE;
}

/*
 * At a last safe moment: at how many CPUs may somebody look for one to take instead of this, of its own cache first? A
 * budgeted task would have to come back, so another CPU of the cache is better; further away only when there is no
 * choice.
 */
static inline u32 nr_urgent_cpus(const struct running_facts* running, bool is_preemptible)
{
	if (!is_preemptible)
		return URGENT_CPUS_MAX;
	if (running->kind != RUNNING_BUDGETED || !running->nr_other_cpus)
		return 0;
	return running->nr_other_cpus < URGENT_CPUS_MAX ? running->nr_other_cpus + 1 : URGENT_CPUS_MAX;
}

/*
 * The caches by distance: step 0 is home itself, then come the others of its node, then the other nodes. Every cache
 * comes once in nr_llcs steps, and different homes begin with different ones.
 */
static inline u32 near_llc(u32 home, u32 step, const struct llc_place* place, u32 nr_llcs)
{
	if (step < place->nr_llcs_of_node)
		return place->first_llc_of_node + (home - place->first_llc_of_node + step) % place->nr_llcs_of_node;
	return nr_llcs ? (place->first_llc_of_node + step) % nr_llcs : home;
}
