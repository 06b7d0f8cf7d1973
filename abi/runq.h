/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the run-queue collector's BPF programs (bpf/runq.bpf.c) and its user side (src/runq) agree on. The kernel only
 * ever adds: intervals are differences, taken in user space. u32 counters may wrap, so they are read within the hour. A
 * row is cleared when it is given back, and nobody counts there any more.
 */
#pragma once

#include "abi/loglin.h"
#include "abi/types.h"

constexpr u32 RUNQ_ROWS_MAX = 1024; /* of cgroups; row 0 is "(other)" */
constexpr u32 RUNQ_SPANS = 32;      /* and of its cgroups */
constexpr u32 RUNQ_RUNNERS = 8;     /* of a CPU that are remembered */
constexpr u32 RUNQ_COMM_BYTES = 16; /* TASK_COMM_LEN */
constexpr u32 RUNQ_PATH_BYTES = 256;
constexpr u32 RUNQ_HISTOGRAMS = 4; /* by enum wait_kind, and one more */
constexpr u32 RUNQ_WAKING = 3;     /* that one: from sched_waking to sched_wakeup */

/* Map "runq_rows": per-CPU array, one a cgroup; and a part of runq_cpu. */
struct runq_histogram {
	u64 sum_ns;
	u64 max_ns;
	u32 buckets[LOGLIN_RUNQ_BUCKETS];
};

struct runq_losses {
	u64 nr_lost;
	u64 nr_discarded;
	u64 nr_unknown_start;
	u64 nr_while_running;
	u64 nr_while_queued;
	u64 nr_unseen;
	u64 nr_outliers_dropped;
};

/* Who had the CPU. */
struct runq_runner {
	u64 from_ns;
	u64 to_ns;
	char comm[RUNQ_COMM_BYTES];
	u32 pid;
	u32 row;
};

/* A cgroup had the CPU without a break, whoever of it. */
struct runq_span {
	u64 from_ns;
	u64 to_ns;
	u32 row;
	u32 pad;
};

/* Map "runq_cpus": per-CPU array of one element. */
struct runq_cpu {
	u64 run_from_ns;  /* of the task that runs */
	u32 run_pid_next; /* its pid + 1; 0: not known yet */
	u32 run_row;
	u32 nr_runners; /* ever: the latest is at (nr_runners - 1) % RUNQ_RUNNERS */
	u32 nr_events;  /* outliers told in this second */
	u64 events_from_ns;
	u32 nr_spans; /* ever */
	u32 pad;
	struct runq_losses losses;
	struct runq_runner runners[RUNQ_RUNNERS];
	struct runq_span spans[RUNQ_SPANS];
	struct runq_histogram histograms[RUNQ_HISTOGRAMS];
};

/* Map "runq_control": array of one element, mapped by user space. */
struct runq_control {
	u64 outlier_ns; /* waits from here on are told one by one; written by user space */
	u32 nr_rows;    /* handed out for the first time, may exceed what there is */
	/* Rows of cgroups that were removed, to be handed out again; user space adds, the kernel takes. Both counts
	 * only grow. */
	u32 nr_given_back;
	u32 nr_taken_again;
	u32 pad;
	u32 given_back[RUNQ_ROWS_MAX]; /* the latest is at (nr_given_back - 1) % RUNQ_ROWS_MAX */
	u64 cgroup_ids[RUNQ_ROWS_MAX]; /* by row */
};

/* Ring buffer "runq_outliers". */
struct runq_outlier {
	u64 end_ns;
	u64 wait_ns;
	u32 kind;
	u32 cpu;
	u32 pid;
	u32 row;
	char comm[RUNQ_COMM_BYTES];
	u32 nr_runners;
	u32 pad;
	struct runq_runner runners[RUNQ_RUNNERS]; /* the latest first, cut to the wait */
};

/* What the iterator "runq_tasks" writes for a task. */
struct runq_task_record {
	u64 start_ns;
	u64 nr;
	u64 sum_ns;
	u64 max_ns;
	u64 open_since_ns; /* 0: it does not wait */
	u32 pid;
	u32 tgid;
	u32 row;
	u32 in_scope;
	char comm[RUNQ_COMM_BYTES];
};

/* Map "runq_paths": hash from cgroup id to this, for cgroups made since. */
struct runq_path {
	char text[RUNQ_PATH_BYTES];
};
