/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Latency budgets: where a task that became runnable goes, and when the running one must leave.
 *
 * The contract: a budgeted task runs within its budget of becoming runnable; until then the CPU
 * belongs to whoever is on it. So a wakeup does not preempt. It queues the task by deadline and
 * names the last safe moment, deadline - reserve, at which the CPU must be taken. A scheduling
 * point that comes earlier by itself serves the task at no cost.
 *
 * Decisions only: facts come in as values, a verdict comes out. All times are ns of one clock.
 */
#pragma once

#include "abi/types.h"

/* What a CPU is doing, as far as placement cares. */
enum running_kind : u32 {
	RUNNING_NOTHING, /* idle, or a task of a class above ours */
	RUNNING_NORMAL,
	RUNNING_BUDGETED,
	RUNNING_ARRIVING, /* a budgeted task is at the head of its own queue and about to take over */
};

/* The knobs of scx_latency that decisions depend on. */
struct latency_tunables {
	u64 reserve_ns;        /* theta: from deciding to preempt until the task is on the CPU */
	u64 turn_ns;           /* running longer than this since it woke or got its deadline ends a task's privilege */
	u64 slack_ns_min;      /* below this a timer is not worth its cost: preempt at once */
	u64 kthread_budget_ns; /* of a per-CPU kernel thread that had to leave its CPU */
	u64 hysteresis_ns;     /* a budgeted task is preempted only for a deadline earlier by more than this */
};

struct place_facts {
	u64 now_ns;
	u64 budget_ns;             /* 0: no budget */
	u64 deadline_ns;           /* the one it had before it lost its CPU; 0: none */
	u64 ran_ns;                /* CPU time since it woke or got that deadline */
	u64 running_deadline_ns;   /* with RUNNING_BUDGETED and RUNNING_ARRIVING */
	enum running_kind running; /* on the CPU that the task was given */
	bool woken;                /* else it lost its CPU */
	bool bound_kthread;        /* a per-CPU kernel thread */
	u8 pad[2];
};

enum place : u32 {
	PLACE_LOCAL,         /* at the head of the CPU's own queue: next, when the running task leaves */
	PLACE_LOCAL_PREEMPT, /* the same, and the running task leaves now */
	PLACE_LOCAL_LAST,    /* at the end of the CPU's own queue */
	PLACE_LATENCY,       /* by deadline; the CPU is to be taken at preempt_at_ns */
	PLACE_NORMAL,        /* by vtime */
};

struct place_decision {
	u64 deadline_ns;   /* 0 for normal tasks */
	u64 preempt_at_ns; /* with PLACE_LATENCY */
	enum place place;
	bool begins_turn; /* place_facts.ran_ns counts from here on */
	u8 pad[3];
};

/*
 * The key under which a task is queued also tells what it is, so that ops.running knows without a
 * lookup: odd keys are deadlines, even ones virtual times. One ns is lost; the order, also across
 * the wrap of u64, is not.
 */
static inline u64 deadline_key(u64 deadline_ns)
{
	return deadline_ns | 1;
}

static inline u64 vtime_key(u64 vtime)
{
	return vtime & ~1ULL;
}

static inline bool is_deadline_key(u64 key)
{
	return key & 1;
}

/* May a task with this deadline take the CPU from what runs there? */
static inline bool may_preempt(enum running_kind running, u64 running_deadline_ns, u64 deadline_ns, u64 hysteresis_ns)
{
	switch (running) {
	case RUNNING_NORMAL:
		return true;
	case RUNNING_BUDGETED:
	case RUNNING_ARRIVING:
		return deadline_ns + hysteresis_ns < running_deadline_ns;
	default:
		return false; /* nothing of ours to preempt: the CPU comes to us by itself */
	}
}

/*
 * A preempted task keeps its deadline, so that those who preempt it cannot do so for ever. One that
 * used up its turn gets a new one: with its old deadline it would come before all others for ever.
 */
static inline bool keeps_deadline(const struct place_facts* facts, u64 turn_ns)
{
	return !facts->woken && facts->deadline_ns && facts->ran_ns < turn_ns;
}

/*
 * When a task with this deadline must be looked at again: at the last safe moment; when that has passed, after the
 * shortest useful delay.
 */
static inline u64 look_again_ns(u64 now_ns, u64 deadline_ns, const struct latency_tunables* tunables)
{
	u64 soonest_ns = now_ns + tunables->slack_ns_min;
	u64 moment_ns = deadline_ns - tunables->reserve_ns;

	return moment_ns > soonest_ns ? moment_ns : soonest_ns;
}

static inline struct place_decision place_by_deadline(const struct place_facts* facts, u64 deadline_ns,
						      const struct latency_tunables* tunables)
{
	u64 reserved_ns = facts->now_ns + tunables->reserve_ns;
	u64 slack_ns = deadline_ns > reserved_ns ? deadline_ns - reserved_ns : 0;
	struct place_decision decision = {
	    .deadline_ns = deadline_ns, .preempt_at_ns = 0, .place = PLACE_LATENCY, .begins_turn = false, .pad = {}};

	if (facts->running == RUNNING_NOTHING) {
		decision.place = PLACE_LOCAL;
	} else if (slack_ns < tunables->slack_ns_min &&
		   may_preempt(facts->running, facts->running_deadline_ns, deadline_ns, tunables->hysteresis_ns)) {
		decision.place = PLACE_LOCAL_PREEMPT;
	} else {
		decision.preempt_at_ns = look_again_ns(facts->now_ns, deadline_ns, tunables);
	}
	return decision;
}

static inline struct place_decision place_budgeted(const struct place_facts* facts,
						   const struct latency_tunables* tunables)
{
	bool keeps = keeps_deadline(facts, tunables->turn_ns);
	u64 deadline_ns = keeps ? facts->deadline_ns : facts->now_ns + facts->budget_ns;
	struct place_decision decision = place_by_deadline(facts, deadline_ns, tunables);

	decision.begins_turn = !keeps;
	return decision;
}

/* Where a task that became runnable, or lost its CPU, waits. */
static inline struct place_decision place_task(const struct place_facts* facts, const struct latency_tunables* tunables)
{
	struct place_decision decision = {
	    .deadline_ns = 0, .preempt_at_ns = 0, .place = PLACE_NORMAL, .begins_turn = facts->woken, .pad = {}};

	/*
	 * ksoftirqd and bound kworkers do work that a packet function waits for: they are never behind
	 * normal user tasks, nor ahead of a budgeted task that already runs. One that must leave for a
	 * budgeted task comes back by a deadline of its own: a new one each time, since with the old one
	 * it would come before the very task that it left for. After a full turn it is a long-running
	 * task like others.
	 */
	if (facts->bound_kthread && facts->woken) {
		decision.place = facts->running == RUNNING_NORMAL     ? PLACE_LOCAL_PREEMPT
				 : facts->running == RUNNING_ARRIVING ? PLACE_LOCAL_LAST
								      : PLACE_LOCAL;
		return decision;
	}
	if (facts->bound_kthread && facts->ran_ns < tunables->turn_ns)
		return place_by_deadline(facts, facts->now_ns + tunables->kthread_budget_ns, tunables);
	return facts->budget_ns ? place_budgeted(facts, tunables) : decision;
}
