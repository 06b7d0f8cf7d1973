/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What scx_latency knows: tunables, the machine, the state of CPUs, caches and tasks, its maps and
 * queues, and the budget of a task. Part of scx_latency.bpf.c, which explains the whole.
 */
#pragma once

#include "bpf/scx.bpf.h"
#include "abi/sched.h"
#include "bpf/latency_record.bpf.h"
#include "policy/cap.h"
#include "policy/floor.h"
#include "policy/latency.h"

/* ---- tunables: read-only once loaded, set by the loader ---- */

const volatile u64 slice_ns = 4 * 1000 * 1000;  /* a turn of a normal task; ends at the next tick */
const volatile u64 credit_ns = 4 * 1000 * 1000; /* what a sleeper may keep of its unused time */
const volatile u64 debt_ns = 400 * 1000 * 1000; /* what a light task may owe: a turn at weight 1 */
const volatile u32 floor_percent = 10;          /* see policy/floor.h: share of each CPU that normal tasks keep */
const volatile u64 floor_window_ns = 100 * 1000 * 1000;
const volatile u64 grain_ns = 200 * 1000;
const volatile u64 cap_period_ns = 100 * 1000 * 1000; /* see policy/cap.h */
const volatile u64 burst_ns = 10 * 1000;              /* see policy/latency.h */
const volatile u64 reserve_ns = 8 * 1000;             /* see policy/latency.h: where the measured reserve begins */
const volatile u64 reserve_max_ns = 200 * 1000;
const volatile u64 switch_ns = 10 * 1000; /* on top, unmeasured: interrupt to wakeup, ops.running to the answer */
const volatile u64 slack_min_ns = 5 * 1000;
const volatile u64 kthread_budget_ns = 50 * 1000;
const volatile u64 hysteresis_ns = 10 * 1000;
const volatile u64 turn_min_ns = 100 * 1000;            /* a shorter rest of a turn is forfeited */
const volatile u64 retry_ns = 50 * 1000;                /* until a timer that could not preempt looks again */
const volatile u64 weight_epoch_ns = 100 * 1000 * 1000; /* see policy/weight.h */

/* ---- the machine: set by the loader from sysfs and --cpus ---- */

const volatile u64 cpus_in_scope[CPUS_MAX / 64] = {[0 ... CPUS_MAX / 64 - 1] = ~0ULL};
const volatile u16 llc_of_cpu[CPUS_MAX]; /* dense numbers, 0 .. nr_llcs - 1 */
const volatile u32 nr_llcs = 1;
const volatile u16 next_in_llc[CPUS_MAX];             /* the CPUs of a cache in a ring */
const volatile struct llc_place llc_places[CPUS_MAX]; /* by cache */

/* ---- state ---- */

/* What a CPU is doing. Written under its run-queue lock, read anywhere: a stale value costs one early or late look. */
struct cpu_state {
	struct running_facts running;
	u64 settled_ns;         /* up to when owed_ns is counted */
	u64 owed_ns;            /* to normal tasks, see policy/floor.h */
	u64 granted_ns;         /* when the floor last gave them the CPU */
	u64 timer_at_ns;        /* 0: not armed */
	u64 timer_due_ns;       /* of the timer that preempted; 0: its task runs */
	u64 reserve_ns;         /* measured, see policy/reserve.h */
	u64 turn_began_exec_ns; /* se.sum_exec_runtime of the normal task whose turn it is */
	u64 starved_look_ns;    /* when its queues were last looked through */
	u64 took_ns;            /* when it last took a task out of a queue of ours */
	u64 waking_ns;          /* when this CPU began to wake the task waking_pid, see latency_select_cpu() */
	u64 starved_dsq;        /* in which somebody starves, see latency_starved.bpf.h; 0: none */
	u32 turn_pid;           /* that task; 0: none */
	u32 waking_pid;         /* 0: none */
	bool is_paying;         /* what is owed */
	s32 nr_latency; /* tasks in the CPU's own latency queue, see latency_waits(); the timer counts without a lock */
} __attribute__((aligned(64)));

struct llc_state {
	u64 vtime_clock;   /* vtime of the normal task that started last */
	u32 looking_cpu;   /* that was woken and has not found anything yet, plus 1; 0: none */
	bool latency_used; /* the shared queues have ever held a task: on a machine where */
	bool normal_used;  /* every task is pinned nobody needs to look there */
} __attribute__((aligned(64)));

static struct cpu_state cpu_states[CPUS_MAX];
static struct llc_state llc_states[CPUS_MAX];
struct floor_tunables floor_knobs; /* made of the above when the scheduler starts */

/* Shared by all CPUs that run the class. */
static struct class_state {
	struct cap_account account;
} __attribute__((aligned(64))) class_states[CLASSES_MAX];

volatile u64 budget_generation SEC(".data.control") = 1; /* raised by user space when budgets change */

struct task_state {
	u64 vtime;
	u64 exec_ns_charged; /* se.sum_exec_runtime up to which vtime is charged */
	u32 weight;          /* effective, see policy/weight.h: of the last time that it was queued as a normal task */
	u16 llc;             /* whose clock its vtime belongs to */
	bool wait_open;      /* a wakeup has not reached a CPU yet */
	bool in_queue;       /* of ours, until a CPU takes it; else it was put on a CPU's own at once */
	u64 began_exec_ns;   /* the same when it woke */
	u64 runnable_ns;     /* when it was woken */
	u64 queued_ns;       /* when it began to wait where it does */
	u64 exec_ns_sampled; /* se.sum_exec_runtime at the last tick that met it with a budget */
	u64 deadline_ns;     /* kept while preempted; 0: none */
	/* the budget, and for which cgroup and state of the table it was looked up */
	u64 budget_ns;
	u64 quota_ns; /* of its class's cap; 0: none */
	u64 cgroup_id;
	u64 generation;
	u32 class_index;
	u32 pad_end;
	u64 reported_ns;        /* to its cgroup, how long it was active; 0: never */
	u64 reported_active_ns; /* task_active_ns() up to which it did */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} task_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CLASSES_MAX);
	__type(key, u64);
	__type(value, struct budget);
} budgets SEC(".maps");

struct preempt_timer {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CPUS_MAX);
	__type(key, u32);
	__type(value, struct preempt_timer);
} preempt_timers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct sched_stats);
} stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CLASSES_MAX);
	__type(key, u32);
	__type(value, struct class_stats);
} class_stats SEC(".maps");

#define COUNT(counter)                                                              \
	({                                                                          \
		struct sched_stats* count = bpf_map_lookup_elem(&stats, &(u32){0}); \
		if (count)                                                          \
			count->counter++;                                           \
	})

/* ---- queues: ids and small facts ---- */

constexpr int LOOKED_AT_MAX = 8; /* tasks of a queue: most may run on every CPU */

enum dsq_kind : u64 { DSQ_LATENCY_LLC = 1, DSQ_LATENCY_CPU, DSQ_NORMAL_LLC, DSQ_NORMAL_CPU };

static inline u64 dsq_id(enum dsq_kind kind, u32 index)
{
	return (u64)kind << 32 | index;
}

static inline struct cpu_state* state_of_cpu(s32 cpu)
{
	return &cpu_states[(u32)cpu % CPUS_MAX];
}

static inline struct llc_state* state_of_llc(u32 llc)
{
	return &llc_states[llc % CPUS_MAX];
}

static inline u32 llc_of(s32 cpu)
{
	return llc_of_cpu[(u32)cpu % CPUS_MAX] % CPUS_MAX;
}

static inline bool in_scope(s32 cpu)
{
	return cpus_in_scope[(u32)cpu % CPUS_MAX / 64] >> ((u32)cpu % 64) & 1;
}

/*
 * While a BPF program runs, the kernel keeps the current task from migrating (not on every version),
 * so 1 means nothing for the current task.
 */
static inline bool is_migration_disabled(struct task_struct* p)
{
	if (p->migration_disabled == 1)
		return bpf_get_current_task_btf() != p;
	return p->migration_disabled;
}

/* Only its CPU may run it: it waits in that CPU's own queues, where no other CPU has to step over it. */
static inline bool is_pinned(struct task_struct* p)
{
	return p->nr_cpus_allowed == 1 || is_migration_disabled(p);
}

static inline bool is_bound_kthread(const struct task_struct* p)
{
	return (p->flags & PF_KTHREAD) && p->nr_cpus_allowed == 1;
}

/* ---- budgets: nearest ancestor that has one ---- */

constexpr int CGROUP_DEPTH_MAX = 32;

/*
 * By the default hierarchy's cgroup, not scx_bpf_task_cgroup(): that one is the nearest ancestor
 * with the cpu controller on, and would not see a budget below it. It may change during a callback,
 * so it is read once.
 */
static void look_up_budget(struct task_state* state, struct cgroup* cgroup)
{
	struct cgroup_subsys_state* parent;
	int level;

	COUNT(nr_budget_lookups);
	state->budget_ns = 0;
	state->quota_ns = 0;
	bpf_for(level, 0, CGROUP_DEPTH_MAX)
	{
		u64 id = cgroup->kn->id;
		struct budget* budget = bpf_map_lookup_elem(&budgets, &id);

		if (budget) {
			state->budget_ns = budget->budget_ns;
			state->class_index = budget->class_index;
			state->quota_ns = budget->cap_percent * cap_period_ns / 100;
			return;
		}
		parent = cgroup->self.parent;
		if (!parent)
			return;
		cgroup = parent->cgroup;
	}
}

static inline void refresh_budget(struct task_struct* p, struct task_state* state)
{
	struct cgroup* cgroup = p->cgroups->dfl_cgrp;
	u64 id = cgroup->kn->id;
	u64 generation = budget_generation;

	if (state->cgroup_id != id || state->generation != generation) {
		look_up_budget(state, cgroup);
		state->cgroup_id = id;
		state->generation = generation;
	}
}

/*
 * Charges a class for its task. The sum is exact; when two CPUs end a period at once, the class may gain or
 * lose what was charged between: less than a switch takes.
 */
static inline bool class_is_over_cap(const struct task_state* state, u64 now_ns, u64 ran_ns)
{
	struct class_state* class = &class_states[state->class_index % CLASSES_MAX];
	struct cap_account now;

	now = decide_cap_at(class->account, now_ns, state->quota_ns, cap_period_ns);
	if (now.period_at_ns != class->account.period_at_ns)
		class->account = now;
	__sync_fetch_and_add(&class->account.used_ns, ran_ns);
	return decide_over_cap(class->account, state->quota_ns);
}
