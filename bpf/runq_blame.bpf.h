/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who ran while somebody waited: each CPU remembers its last runners, and a wait that ends there is laid against them.
 * Of whole tasks few are remembered, for telling; of cgroups more, and what one runs in a row is one span: mostly those
 * few cgroups take turns that keep a CPU busy. Part of runq.bpf.c, which explains the whole.
 */
#pragma once

#include "bpf/runq_state.bpf.h"

static inline void note_runner(struct runq_cpu* cpu, const struct task_struct* p, u64 now_ns)
{
	struct runq_runner* runner = &cpu->runners[cpu->nr_runners++ % RUNQ_RUNNERS];

	runner->from_ns = cpu->run_from_ns;
	runner->to_ns = now_ns;
	runner->pid = p->pid;
	runner->row = cpu->run_row;
	__builtin_memcpy(runner->comm, p->comm, sizeof(runner->comm));
}

static inline void note_span(struct runq_cpu* cpu, u64 now_ns)
{
	struct runq_span* last = &cpu->spans[(cpu->nr_spans - 1) % RUNQ_SPANS];

	if (last->row != cpu->run_row || last->to_ns != cpu->run_from_ns) {
		last = &cpu->spans[cpu->nr_spans++ % RUNQ_SPANS];
		last->from_ns = cpu->run_from_ns;
		last->row = cpu->run_row;
	}
	last->to_ns = now_ns;
}

static inline void blame(u32 victim_row, u32 culprit_row, u64 ran_ns)
{
	u32 cell = victim_row * (nr_rows_max + 1) + culprit_row;
	u64* total = bpf_map_lookup_elem(&runq_culprits, &cell);

	if (total)
		__sync_fetch_and_add(total, ran_ns);
}

/* The runner that left the CPU as the `ago`-th before now, or NULL. */
static inline struct runq_runner* runner_before(struct runq_cpu* cpu, u32 ago)
{
	if (ago >= cpu->nr_runners)
		return NULL;
	return &cpu->runners[(cpu->nr_runners - 1 - ago) % RUNQ_RUNNERS];
}

static __noinline int blame_runners(struct runq_cpu* cpu, u32 row, u64 since_ns, u64 now_ns)
{
	u64 known_ns = 0;

	if (!cpu)
		return 0;
	for (u32 ago = 1; ago <= RUNQ_SPANS && ago <= cpu->nr_spans; ago++) {
		struct runq_span* span = &cpu->spans[(cpu->nr_spans - ago) % RUNQ_SPANS];
		u64 ran_ns;

		if (span->to_ns <= since_ns)
			break;
		ran_ns = wait_overlap_ns(since_ns, now_ns, span->from_ns, span->to_ns);
		blame(row, span->row, ran_ns);
		known_ns += ran_ns;
	}
	if (now_ns - since_ns > known_ns)
		blame(row, nr_rows_max, now_ns - since_ns - known_ns);
	return 0;
}

static inline u32 copy_runners(struct runq_cpu* cpu, u64 since_ns, u64 now_ns, struct runq_outlier* outlier)
{
	u32 nr = 0;

	for (u32 ago = 0; ago < RUNQ_RUNNERS; ago++) {
		struct runq_runner* runner = runner_before(cpu, ago);

		if (!runner || runner->to_ns <= since_ns)
			break;
		outlier->runners[ago] = *runner;
		if (runner->from_ns < since_ns)
			outlier->runners[ago].from_ns = since_ns;
		nr++;
	}
	return nr;
}

/* The reader comes by itself: waking it from under a run-queue lock would be one more wait to count. */
static __noinline int tell_outlier(struct runq_cpu* cpu, struct task_struct* p, struct runq_task* task, u64 now_ns,
				   u64 since_ns)
{
	struct runq_outlier* outlier;

	if (!cpu || !task)
		return 0;
	outlier = NULL;
	if (wait_event_allowed(&cpu->events_from_ns, &cpu->nr_events, now_ns, outliers_per_second))
		outlier = bpf_ringbuf_reserve(&runq_outliers, sizeof(*outlier), 0);
	if (!outlier) {
		cpu->losses.nr_outliers_dropped++;
		return 0;
	}
	outlier->end_ns = now_ns;
	outlier->wait_ns = now_ns - since_ns;
	outlier->kind = task->wait.kind;
	outlier->cpu = bpf_get_smp_processor_id();
	outlier->pid = p->pid;
	outlier->row = task->row;
	__builtin_memcpy(outlier->comm, p->comm, sizeof(outlier->comm));
	outlier->nr_runners = copy_runners(cpu, since_ns, now_ns, outlier);
	bpf_ringbuf_submit(outlier, BPF_RB_NO_WAKEUP);
	return 0;
}
