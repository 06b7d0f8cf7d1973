/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where scx_latency puts a task that was enqueued: by deadline, by vtime, or back on its CPU. Part of
 * scx_latency.bpf.c, which explains the whole.
 */
#pragma once

#include "bpf/latency_place.bpf.h"
#include "bpf/latency_state.bpf.h"
#include "bpf/latency_timer.bpf.h"
#include "policy/resume.h"
#include "policy/vtime.h"
#include "policy/weight.h"

/* No debt and no credit from before. */
static void begin_account(struct task_struct* p, struct task_state* state)
{
	state->llc = llc_of(scx_bpf_task_cpu(p));
	state->vtime = state_of_llc(state->llc)->vtime_clock;
	state->exec_ns_charged = p->se.sum_exec_runtime;
	state->began_exec_ns = state->exec_ns_charged;
	state->weight = p->scx.weight << WEIGHT_SHIFT;
	state->exec_ns_sampled = state->exec_ns_charged;
	state->runnable_ns = scx_bpf_now(); /* what it did before is not known: it may have slept until now */
}

/*
 * A task loses its state when a fork of it fails at a limit: until late in a fork the child has a copy of the pointer
 * to its parent's storage, and the kernel frees that with the child. So anybody could make a task without state, and
 * that must not be the end of the scheduler.
 */
static __noinline struct task_state* new_state(struct task_struct* p)
{
	struct task_state* state = bpf_task_storage_get(&task_states, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (state)
		begin_account(p, state);
	return state;
}

static inline bool wake_idle_cpu(struct task_struct* p)
{
	s32 idle = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);

	if (idle < 0)
		return false;
	scx_bpf_kick_cpu(idle, KICK_IDLE);
	return true;
}

/*
 * From ops.enqueue: a CPU that went idle since ops.select_cpu looked, if it was called at all, would not hear of the
 * task. On a machine of one cache all CPUs are near, and any costs least.
 */
static inline void wake_near_idle_cpu(struct task_struct* p, s32 cpu)
{
	struct llc_state* llc_state = state_of_llc(llc_of(cpu));
	s32 idle;

	if (nr_llcs == 1)
		idle = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	else
		idle = claim_idle_cpu_near(p, cpu);
	/* One that was woken, and goes back to sleep, is told apart from a busy one by nobody else. */
	if (idle < 0 && llc_state->looking_cpu) {
		idle = llc_state->looking_cpu - 1;
		llc_state->looking_cpu = 0;
	}
	if (idle >= 0)
		scx_bpf_kick_cpu(idle, KICK_IDLE);
}

static void queue_latency(struct task_struct* p, s32 cpu, u64 now_ns, const struct place_decision* decision, u64 flags)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	u64 at_ns = decision->preempt_at_ns;

	if (!latency_waits(cpu))
		cpu_state->timer_at_ns = 0; /* nobody depends on an earlier one */
	else if (!cpu_state->running.nr_other_cpus || (is_pinned(p) && cpu_state->nr_latency > 0))
		at_ns = earlier(at_ns, safe_for_both(cpu, now_ns, decision->key));
	arm_timer(cpu, now_ns, at_ns);
	if (is_pinned(p)) {
		__sync_fetch_and_add(&cpu_state->nr_latency, 1);
		dsq_insert_vtime(p, dsq_id(DSQ_LATENCY_CPU, cpu), slice_ns, decision->key, flags);
	} else {
		u32 llc = llc_of(cpu);

		state_of_llc(llc)->latency_used = true;
		dsq_insert_vtime(p, dsq_id(DSQ_LATENCY_LLC, llc), slice_ns, decision->key, flags);
		wake_near_idle_cpu(p, cpu);
	}
}

static void queue_normal(struct task_struct* p, struct task_state* state, s32 cpu, bool woken, u64 flags)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	u32 llc = llc_of(cpu);

	if (cpu_state->turn_pid == (u32)p->pid)
		cpu_state->turn_pid = 0;
	if (is_pinned(p)) {
		dsq_insert_vtime(p, dsq_id(DSQ_NORMAL_CPU, cpu), slice_ns, vtime_key(state->vtime), flags);
		return;
	}
	state_of_llc(llc)->normal_used = true;
	dsq_insert_vtime(p, dsq_id(DSQ_NORMAL_LLC, llc), slice_ns, vtime_key(state->vtime), flags);
	if (!woken || cpu_state->running.kind != RUNNING_NOTHING) /* else that CPU comes for it */
		wake_near_idle_cpu(p, cpu);
}

/* A normal task that was preempted in its turn: the common case, and so without its task_state. */
static inline bool resume_turn(struct task_struct* p, s32 cpu, u64 flags)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	struct resume_facts facts = {
	    .turn_ran_ns = p->se.sum_exec_runtime - cpu_state->turn_began_exec_ns,
	    .turn_ns = slice_ns,
	    .turn_ns_min = turn_min_ns,
	    .in_turn = cpu_state->turn_pid == (u32)p->pid,
	    .pinned = is_pinned(p),
	};
	u64 rest_ns;

	if (!facts.in_turn)
		return false;
	facts.others_first = cpu_state->starved_dsq || latency_waits(cpu);
	rest_ns = decide_resume_ns(&facts);
	if (!rest_ns)
		return false;
	COUNT(nr_resumed);
	dsq_insert(p, DSQ_LOCAL, rest_ns, flags);
	return true;
}

/* A CPU's own queue has no order, but ops.running reads the key all the same. */
static inline void insert_local(struct task_struct* p, const struct task_state* state, u64 flags)
{
	task_set_vtime(
	    p, state->deadline_ns && !is_bound_kthread(p) ? deadline_key(state->deadline_ns) : vtime_key(state->vtime));
	dsq_insert(p, DSQ_LOCAL, slice_ns, flags);
}
