/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Says of each class whether its budget can be kept, and if not why: every 100 ms, from a timer of its
 * own, because a class that is starved, or whose CPU real-time tasks have, reaches no callback. Part of
 * scx_latency.bpf.c, which explains the whole.
 */
#pragma once

#include "bpf/latency_hotplug.bpf.h"
#include "bpf/latency_state.bpf.h"
#include "bpf/latency_timer.bpf.h"
#include "policy/feasible.h"

/* Apart from class_states: what the wake path reads is not to move with what the caps count. */
static struct class_window {
	struct feasible_window window;
} __attribute__((aligned(64))) class_windows[CLASSES_MAX];

static struct cpu_sample {
	struct feasible_cpu use;
} __attribute__((aligned(64))) cpu_samples[CPUS_MAX];

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CLASSES_MAX);
	__type(key, u32);
	__type(value, struct class_verdict);
} class_verdicts SEC(".maps");

struct window_timer {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct window_timer);
} window_timers SEC(".maps");

static inline struct feasible_window* window_of(const struct task_state* state)
{
	return &class_windows[state->class_index % CLASSES_MAX].window;
}

/* At the tick: what runs with a budget, and for how long it has not slept. */
static inline void sample_class(struct task_struct* p, s32 cpu, u64 now_ns)
{
	struct feasible_cpu* use = &cpu_samples[(u32)cpu % CPUS_MAX].use;
	struct task_state* state = NULL;
	u64 exec_ns = p->se.sum_exec_runtime;
	u64 ran_ns = 0;

	if (state_of_cpu(cpu)->running.kind == RUNNING_BUDGETED)
		state = bpf_task_storage_get(&task_states, p, NULL, 0);
	if (state && state->budget_ns) {
		ran_ns = feasible_sample(window_of(state), now_ns, exec_ns - state->exec_ns_sampled,
					 now_ns - state->runnable_ns, cpu);
		state->exec_ns_sampled = exec_ns;
	}
	feasible_cpu_sample(use, now_ns, ran_ns);
}

/* The first tasks of a latency queue, in case they wait for so long that there was no end to note. */
static void note_waiting(u64 dsq, u64 now_ns)
{
	struct bpf_iter_scx_dsq it;
	struct task_state* state;
	struct task_struct* p;
	int i;

	bpf_rcu_read_lock();
	if (!bpf_iter_scx_dsq_new(&it, dsq, 0)) {
		bpf_for(i, 0, LOOKED_AT_MAX)
		{
			p = bpf_iter_scx_dsq_next(&it);
			if (!p)
				break;
			if (!is_deadline_key(p->scx.dsq_vtime)) /* a kernel thread */
				continue;
			state = bpf_task_storage_get(&task_states, p, NULL, 0);
			if (state && state->budget_ns)
				feasible_waiting(window_of(state), now_ns, deadline_of_key(p->scx.dsq_vtime),
						 scx_bpf_task_cpu(p));
		}
	}
	bpf_iter_scx_dsq_destroy(&it);
	bpf_rcu_read_unlock();
}

/* By the kernel's own averages over about the last 100 ms, made for what is left of a CPU. */
static inline u32 taken_by_others_percent(s32 cpu)
{
	const struct rq* rq = bpf_per_cpu_ptr(&runqueues, cpu);
	u64 taken;

	if (!rq)
		return 0;
	taken = rq->avg_rt.util_avg + rq->avg_dl.util_avg;
	if (bpf_core_field_exists(rq->avg_irq))
		taken += rq->avg_irq.util_avg;
	return feasible_percent(taken, 1024);
}

static void judge_class(u32 index, u64 now_ns)
{
	struct feasible_window* window = &class_windows[index % CLASSES_MAX].window;
	struct class_verdict* verdict = bpf_map_lookup_elem(&class_verdicts, &index);
	struct class_stats* class = bpf_map_lookup_elem(&class_stats, &index);
	struct feasible_facts facts = {.now_ns = now_ns, .floor_percent = floor_percent};
	struct cpu_state* cpu_state;
	enum feasible_reason reason;

	if (!verdict || !class)
		return;
	if (verdict->cgroup_id != class->cgroup_id) { /* the row has changed hands */
		*verdict = (struct class_verdict){.cgroup_id = class->cgroup_id};
		*window = feasible_window_at(now_ns);
		return;
	}
	facts.budget_ns = class->budget_ns;
	if (!class->cgroup_id || feasible_is_open(window, now_ns, facts.budget_ns))
		return;
	cpu_state = state_of_cpu(window->cpu);
	facts.switch_ns = reserve_ns + switch_ns;
	facts.others_percent = taken_by_others_percent(window->cpu);
	facts.budgeted_percent = feasible_cpu_percent(&cpu_samples[window->cpu % CPUS_MAX].use, now_ns);
	facts.floor_paid = now_ns - cpu_state->granted_ns < now_ns - window->began_ns;
	reason = feasible_judge(window, &facts);
	feasible_note(verdict, window, &facts, reason);
	if (reason != FEASIBLE)
		verdict->at_ns = bpf_ktime_get_boot_ns();
	*window = feasible_window_at(now_ns);
}

/* Also the one thing that is sure to happen while a CPU goes offline: see latency_hotplug.bpf.h. */
static int windows_end(void* map, u32* key, struct window_timer* slot)
{
	u64 now_ns = scx_bpf_now();
	u32 nr_cpus = scx_bpf_nr_cpu_ids();
	u32 i;

	bpf_for(i, 0, nr_cpus)
	{
		if (!is_active(i))
			hand_back(i);
		if (state_of_cpu(i)->nr_latency > 0)
			note_waiting(dsq_id(DSQ_LATENCY_CPU, i), now_ns);
	}
	bpf_for(i, 0, nr_llcs)
	{
		if (state_of_llc(i)->latency_used)
			note_waiting(dsq_id(DSQ_LATENCY_LLC, i), now_ns);
	}
	bpf_for(i, 0, CLASSES_MAX)
	{
		judge_class(i, now_ns);
	}
	bpf_timer_start(&slot->timer, FEASIBLE_WINDOW_NS, 0);
	return 0;
}

static s32 start_windows(void)
{
	struct window_timer* slot = bpf_map_lookup_elem(&window_timers, &(u32){0});
	s32 err;

	if (!slot)
		return -ENOENT;
	err = bpf_timer_init(&slot->timer, &window_timers, CLOCK_MONOTONIC);
	if (!err)
		err = bpf_timer_set_callback(&slot->timer, windows_end);
	return err ? err : bpf_timer_start(&slot->timer, FEASIBLE_WINDOW_NS, 0);
}
