/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the run-queue collector knows: options, maps, and the row of a task's cgroup. Part of runq.bpf.c, which
 * explains the whole.
 */
#pragma once

#include "bpf/kern.bpf.h"
#include "abi/runq.h"
#include "abi/sched.h"
#include "policy/wait.h"

/* ---- options: read-only once loaded, set by the collector; what they switch off is removed at load ---- */

const volatile u32 wanted_tgid = 0;   /* 0: all */
const volatile u64 wanted_cgroup = 0; /* and what is below it; 0: all */
const volatile bool filter_cpus = false;
const volatile u64 wanted_cpus[CPUS_MAX / 64];
const volatile bool with_waking = false;
const volatile bool tell_all_tasks = false;  /* the iterator: not only those that wait */
const volatile u64 blame_ns_min = 10 * 1000; /* shorter waits blame nobody: looking would cost more than it tells */
const volatile u32 outliers_per_second = 50; /* of one CPU */
const volatile u32 nr_rows_max = 256;

/* ---- state ---- */

struct runq_task {
	struct wait_state wait;
	u64 nr;
	u64 sum_ns;
	u64 max_ns;
	u64 waking_ns; /* 0: no sched_waking, or its wakeup has come */
	u64 css_set;   /* of which row and in_scope are known: an address, compared only */
	u32 row;
	u32 in_scope; /* of wanted_cgroup */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct runq_task);
} runq_waits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct runq_cpu);
} runq_cpus SEC(".maps");

/* One row a cgroup; the collector sizes it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 256);
	__type(key, u32);
	__type(value, struct runq_histogram);
} runq_rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RUNQ_ROWS_MAX);
	__type(key, u64);
	__type(value, u32);
} runq_row_of SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct runq_control);
} runq_control SEC(".maps");

/* ns by [victim's row * (nr_rows_max + 1) + runner's row]; the last of a line: nobody knows. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 256 * 257);
	__type(key, u32);
	__type(value, u64);
} runq_culprits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} runq_outliers SEC(".maps");

/* Least recently used, because cgroups come and go; touched by mkdir and by user space only. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct runq_path);
} runq_paths SEC(".maps");

static inline struct runq_cpu* this_cpu(void)
{
	return bpf_map_lookup_elem(&runq_cpus, &(u32){0});
}

static inline struct runq_control* control(void)
{
	return bpf_map_lookup_elem(&runq_control, &(u32){0});
}

/* For what happens seldom. In the hot path each lookup counts. */
#define RUNQ_COUNT(counter)                          \
	({                                           \
		struct runq_cpu* count = this_cpu(); \
		if (count)                           \
			count->losses.counter++;     \
	})

static inline struct runq_task* task_of(struct task_struct* p)
{
	return bpf_task_storage_get(&runq_waits, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

static inline u64 nr_switches_of(const struct task_struct* p)
{
	return p->nvcsw + p->nivcsw;
}

/* ---- the row of a cgroup ---- */

/* One that was given back, else one that nobody had. 0, the row of all others: there is none, or others were quicker.
 */
static inline u32 take_row(struct runq_control* shared)
{
	u32 taken = shared->nr_taken_again;

	if (taken != shared->nr_given_back) {
		if (__sync_val_compare_and_swap(&shared->nr_taken_again, taken, taken + 1) != taken)
			return 0;
		return shared->given_back[taken % RUNQ_ROWS_MAX];
	}
	if (shared->nr_rows + 1 >= nr_rows_max)
		return 0;
	return __sync_fetch_and_add(&shared->nr_rows, 1) + 1;
}

/* A row that loses the race for its cgroup stays empty until it is given back. */
static __always_inline void new_row(u64 id)
{
	struct runq_control* shared = control();
	u32 row;

	if (!shared)
		return;
	row = take_row(shared);
	if (row == 0 || row >= nr_rows_max || row >= RUNQ_ROWS_MAX)
		return;
	if (bpf_map_update_elem(&runq_row_of, &id, &row, BPF_NOEXIST) == 0)
		shared->cgroup_ids[row % RUNQ_ROWS_MAX] = id;
}

static __noinline u32 row_of_id(u64 id)
{
	u32* row = bpf_map_lookup_elem(&runq_row_of, &id);

	if (row)
		return *row;
	new_row(id);
	row = bpf_map_lookup_elem(&runq_row_of, &id); /* ours, or that of a CPU that was quicker */
	return row ? *row : 0;
}

static inline bool is_below(struct cgroup* cgrp, u64 id)
{
	struct cgroup_subsys_state* above;

	for (u32 i = 0; i < 64 && cgrp; i++) {
		if (cgrp->kn->id == id)
			return true;
		above = cgrp->self.parent;
		cgrp = above ? above->cgroup : NULL;
	}
	return false;
}

/* Looked up again only when the task was moved. */
static inline void refresh_cgroup(struct task_struct* p, struct runq_task* task)
{
	struct css_set* css = p->cgroups;

	if (task->css_set == (u64)css)
		return;
	task->css_set = (u64)css;
	task->row = row_of_id(css->dfl_cgrp->kn->id);
	if (wanted_cgroup)
		task->in_scope = is_below(css->dfl_cgrp, wanted_cgroup);
	else
		task->in_scope = true;
}
