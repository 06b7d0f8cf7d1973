/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the schedulers and the user side agree on: limits, the budget table, counters.
 * Names of maps and variables that the user side looks up stand beside the structs.
 */
#pragma once

#include "abi/types.h"

constexpr u32 CPUS_MAX = 1024;  /* as CpuList::kCpusMax */
constexpr u32 CLASSES_MAX = 16; /* cgroups with a budget at one time */
constexpr u64 BUDGET_NS_MIN = 1000ULL;
constexpr u64 BUDGET_NS_MAX = 1000ULL * 1000 * 1000;

/* Map "budgets": hash from cgroup id to this. Tasks below the cgroup inherit it. */
struct budget {
	u64 budget_ns;
	u16 class_index; /* row of the map "class_stats" */
	u16 source;      /* who gave it: noted by and for user space */
	u32 cap_percent; /* of one CPU, so 250 is two and a half; 0: no cap */
};
static_assert(sizeof(struct budget) == 16, "budget is shared with user space");

/* Where a last-level cache lies. Caches are numbered node by node, so those of a node are neighbours. */
struct llc_place {
	u16 first_cpu; /* of the cache */
	u16 scope_cpu; /* the nearest CPU in scope: of this cache, else of its node, else any */
	u16 first_llc_of_node;
	u16 nr_llcs_of_node;
	u16 nr_cpus_in_scope; /* of the cache */
};
static_assert(sizeof(struct llc_place) == 10, "llc_place is filled by user space");

/* Map "stats": one of these a CPU, in a per-CPU array of one element. */
struct sched_stats {
	u64 nr_enqueued;     /* calls of ops.enqueue, and direct inserts from ops.select_cpu */
	u64 nr_idle_cpu;     /* placed at once on an idle CPU */
	u64 nr_dispatched;   /* taken from a queue by ops.dispatch */
	u64 nr_preempt_now;  /* no slack: preempted at the wakeup */
	u64 nr_preempt_late; /* a normal task had to leave as soon as it started */
	u64 nr_timer_armed;
	u64 nr_timer_fired;
	u64 nr_timer_preempted; /* of those fired: a CPU was preempted */
	u64 nr_remote;        /* budgeted tasks that left their cache because no CPU of it could be preempted in time */
	u64 nr_floor_granted; /* turns that the floor gave to normal tasks */
	u64 nr_floor_preempted; /* of those: a budgeted task had to leave for it between two ticks */
	u64 nr_starved;         /* tasks that had waited for more than a second, see policy/starvation.h */
	u64 nr_resumed;         /* preempted normal tasks that continued on their CPU */
	u64 nr_budget_lookups;  /* walks of the budget table, i.e. misses of the per-task cache */
};

/* Waits of one class: 12.5 % wide buckets up to 2^34 ns (17 s); abi/loglin.h has the index. */
constexpr u32 WAIT_BITS = 3;
constexpr u32 WAIT_VALUE_BITS = 34;
constexpr u32 WAIT_BUCKETS = (WAIT_VALUE_BITS - WAIT_BITS + 1) << WAIT_BITS;

/* Map "class_stats": per-CPU array of CLASSES_MAX elements. */
struct class_stats {
	u64 cgroup_id; /* 0: row not used */
	u64 budget_ns;
	u64 nr_waits;  /* wakeups that reached a CPU */
	u64 nr_missed; /* of those: waited longer than the budget */
	u64 wait_ns_sum;
	u64 wait_ns_max;
	u64 queue_ns_sum; /* part of wait_ns_sum: until a CPU took the task; the rest is what that CPU took to run it */
	u64 start_ns_max; /* the longest such rest */
	u64 buckets[WAIT_BUCKETS];
};

/* Why a budget could not be kept in a window: policy/feasible.h decides. */
enum feasible_reason : u32 {
	FEASIBLE,
	INFEASIBLE_OVER_CAP,        /* its cap leaves less than it asks for */
	INFEASIBLE_TAKEN_BY_OTHERS, /* real-time or deadline tasks, or interrupts */
	INFEASIBLE_NOT_ENOUGH_CPU,  /* those with a budget ask for more than there is */
	INFEASIBLE_FLOOR,           /* what normal tasks keep is what is missing */
	INFEASIBLE_TOO_SHORT,       /* it is shorter than what it takes to get on a CPU */
	INFEASIBLE_UNKNOWN,
};

/* Map "class_verdicts": array of CLASSES_MAX elements, rows as in "class_stats". Its size is its version. */
struct class_verdict {
	u64 cgroup_id;     /* whose; 0: row not used, or no window has ended yet */
	u64 nr_windows;    /* judged */
	u64 nr_infeasible; /* of those */
	u64 at_ns;         /* CLOCK_BOOTTIME when the last infeasible one ended; the following is about that one */
	u64 length_ns;
	u64 budget_ns;
	u64 wait_ns_min;      /* all ones: no wait ended */
	u64 nr_missed;        /* waits */
	u64 late_ns;          /* by how much, all together */
	u64 nr_over_cap;      /* times that a task was queued without its budget */
	u64 nr_sleepless;     /* samples that met a task which had not slept for a window */
	u64 ran_ns;           /* CPU time of the class, sampled */
	u64 overdue_ns;       /* how long ago the deadline of a task that still waited had passed */
	u32 cpu;              /* where there was trouble */
	u32 others_percent;   /* of that CPU: taken by other scheduling classes and interrupts */
	u32 budgeted_percent; /* and used by tasks with a budget */
	u32 reason;           /* enum feasible_reason */
	u32 reason_now;       /* the same of the last window judged */
	u32 pad;
};
static_assert(sizeof(struct class_verdict) == 128, "class_verdict is shared with user space");
