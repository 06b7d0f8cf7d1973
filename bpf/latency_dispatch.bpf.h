/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a CPU takes next: the floor, then the earliest deadline, then the earliest vtime, then what
 * other caches have. Part of scx_latency.bpf.c, which explains the whole.
 */
#pragma once

#include "bpf/latency_place.bpf.h"
#include "bpf/latency_state.bpf.h"
#include "bpf/latency_timer.bpf.h"
#include "bpf/latency_weight.bpf.h"
#include "policy/floor.h"
#include "policy/latency.h"
#include "policy/vtime.h"

/* Does the cache's queue come before the CPU's own? Both are ordered by the same clock. */
static inline bool shared_is_earlier(s32 cpu, u64 own, u64 shared)
{
	u64 key;

	if (!scx_bpf_dsq_nr_queued(shared))
		return false;
	if (!scx_bpf_dsq_nr_queued(own))
		return true;
	key = first_key(shared, cpu);
	return key != KEY_NONE && vtime_before(key, first_key(own, cpu));
}

/*
 * A CPU that has nothing of its own helps the other caches, near ones first. When its task would go on it takes normal
 * ones only, which is what spreads them: a budgeted task leaves its cache for an idle CPU, or when it must.
 */
static bool take_from_other_llcs(s32 cpu, bool goes_on)
{
	u32 home = llc_of(cpu);
	u32 nr_looked_at = goes_on && nr_llcs > URGENT_LLCS_MAX ? URGENT_LLCS_MAX : nr_llcs;
	u32 step;

	bpf_for(step, 1, nr_looked_at)
	{
		u32 llc = llc_near(home, step);

		if (!goes_on && in_scope(cpu) && dsq_move_to_local(dsq_id(DSQ_LATENCY_LLC, llc)))
			return true;
		if (dsq_move_to_local(dsq_id(DSQ_NORMAL_LLC, llc)))
			return true;
	}
	return false;
}

static inline bool take_own_latency(s32 cpu)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);

	if (dsq_move_to_local(dsq_id(DSQ_LATENCY_CPU, cpu))) {
		__sync_fetch_and_add(&cpu_state->nr_latency, -1);
		return true;
	}
	cpu_state->nr_latency = 0;
	return false;
}

/* Outside the scope only kernel threads wait by deadline, and only for their own CPU. */
static inline bool take_latency(s32 cpu, u32 llc)
{
	u64 shared = dsq_id(DSQ_LATENCY_LLC, llc);

	if (!state_of_llc(llc)->latency_used || !in_scope(cpu))
		return take_own_latency(cpu);
	if (shared_is_earlier(cpu, dsq_id(DSQ_LATENCY_CPU, cpu), shared) && dsq_move_to_local(shared))
		return true;
	return take_own_latency(cpu) || dsq_move_to_local(shared);
}

/* Rather than sleep a CPU outside the scope takes a budgeted task: it may be woken for one, as for any other. */
static inline bool take_out_of_scope(s32 cpu, u32 llc)
{
	return !in_scope(cpu) && state_of_llc(llc)->latency_used && dsq_move_to_local(dsq_id(DSQ_LATENCY_LLC, llc));
}

/* Is it earlier than what this CPU may run of a queue? */
static inline bool is_before_queued(u64 vtime, u64 dsq, s32 cpu)
{
	u64 key;

	if (!scx_bpf_dsq_nr_queued(dsq))
		return true;
	key = first_key(dsq, cpu);
	return key == KEY_NONE || vtime_before(vtime, key);
}

/*
 * The kernel asks before it queues the normal task whose turn is over. It gets another turn while it is still the
 * earliest: else two tasks on a CPU would run by turns, and each would get half of it, whatever they weigh.
 */
static inline bool keep_running(s32 cpu, u32 llc, struct task_struct* prev)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	u64* clock = &state_of_llc(llc)->vtime_clock;
	struct task_state* state;

	if (cpu_state->running.kind != RUNNING_NORMAL || !prev || !(prev->scx.flags & TASK_QUEUED) ||
	    !normal_waits(cpu))
		return false;
	state = bpf_task_storage_get(&task_states, prev, NULL, 0);
	if (!state)
		return false;
	settle_account(prev, state, llc);
	if (!is_before_queued(state->vtime, dsq_id(DSQ_NORMAL_CPU, cpu), cpu) ||
	    !is_before_queued(state->vtime, dsq_id(DSQ_NORMAL_LLC, llc), cpu))
		return false;
	cpu_state->turn_began_exec_ns = prev->se.sum_exec_runtime;
	if (vtime_before(*clock, state->vtime))
		*clock = state->vtime;
	task_set_slice(prev, slice_ns);
	return true;
}

VERIFIED_ONCE bool take_normal(s32 cpu, u32 llc)
{
	u64 own = dsq_id(DSQ_NORMAL_CPU, cpu);
	u64 shared = dsq_id(DSQ_NORMAL_LLC, llc);

	if (!state_of_llc(llc)->normal_used)
		return dsq_move_to_local(own);
	if (shared_is_earlier(cpu, own, shared) && dsq_move_to_local(shared))
		return true;
	return dsq_move_to_local(own) || dsq_move_to_local(shared);
}

/* Does it wait for one that waits by deadline? As well when a normal task that starts now would have to leave at once.
 */
static inline bool floor_waits(s32 cpu, u64 now_ns)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	struct latency_tunables tunables = tunables_of(cpu_state);
	struct running_facts normal = {.kind = RUNNING_NORMAL};
	u64 key;

	if (!latency_waits(cpu))
		return false;
	normal.kept_until_ns = floor_kept_until_ns(now_ns, cpu_state->owed_ns, &floor_knobs);
	normal.turn_until_ns = floor_paid_until_ns(now_ns, cpu_state->owed_ns, cpu_state->is_paying, &floor_knobs);
	key = earliest_key(cpu);
	return key != KEY_NONE && (decide_floor_waits_for(key, cpu_state->owed_ns, &floor_knobs) ||
				   decide_may_run_until_ns(now_ns, key, &normal, &tunables) <= now_ns);
}

/* A budgeted task leaves, and others may have the CPU before the first that waits: its key, else KEY_NONE. */
static inline u64 gathering_key(s32 cpu)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	struct latency_tunables tunables;
	u64 now_ns;
	u64 key;

	if (cpu_state->running.kind != RUNNING_BUDGETED || !latency_waits(cpu) || !normal_waits(cpu))
		return KEY_NONE;
	key = earliest_key(cpu);
	if (key == KEY_NONE)
		return KEY_NONE;
	tunables = tunables_of(cpu_state);
	now_ns = scx_bpf_now();
	return decide_may_gather(later(now_ns, floor_kept_until_ns(now_ns, cpu_state->owed_ns, &floor_knobs)), key,
				 several_wait(cpu), &tunables)
		   ? key
		   : KEY_NONE;
}

static inline u64 ran_since_wakeup_ns(struct task_struct* p)
{
	struct task_state* state = bpf_task_storage_get(&task_states, p, NULL, 0);

	return state ? p->se.sum_exec_runtime - state->began_exec_ns : 0;
}

enum renewed : u32 { RENEWED_NONE, RENEWED_TAKEN, RENEWED_WAITS };

/*
 * Those that had their bursts wait at the end of a queue, behind claims that all have time. The one that left first is
 * asked for.
 */
VERIFIED_ONCE enum renewed take_renewed(u64 dsq, s32 cpu, u64 claim_key)
{
	enum renewed found = RENEWED_NONE;
	struct bpf_iter_scx_dsq it;
	struct task_struct* first = NULL;
	struct task_struct* p;
	int i;

	bpf_rcu_read_lock();
	if (!bpf_iter_scx_dsq_new(&it, dsq, DSQ_ITER_REV)) {
		bpf_for(i, 0, LOOKED_AT_MAX)
		{
			p = bpf_iter_scx_dsq_next(&it);
			if (!p || !is_renewed_key(p->scx.dsq_vtime))
				break;
			if (bpf_cpumask_test_cpu(cpu, p->cpus_ptr) && !is_bound_elsewhere(p, cpu))
				first = p;
		}
		if (first) {
			found = RENEWED_WAITS;
			if (decide_may_go_on(scx_bpf_now(), ran_since_wakeup_ns(first), claim_key) &&
			    scx_bpf_dsq_move(&it, first, DSQ_LOCAL_ON | cpu, 0))
				found = RENEWED_TAKEN;
		}
	}
	bpf_iter_scx_dsq_destroy(&it);
	bpf_rcu_read_unlock();
	return found;
}

/* While one that may not go on waits, claims do not: it would have the CPU whenever they gather. */
static inline bool take_while_gathering(s32 cpu, u32 llc)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	enum renewed found = RENEWED_NONE;
	u64 key = gathering_key(cpu);

	if (key == KEY_NONE)
		return false;
	if (cpu_state->is_paying)
		return take_normal(cpu, llc);
	if (cpu_state->nr_latency > 0)
		found = take_renewed(dsq_id(DSQ_LATENCY_CPU, cpu), cpu, key);
	if (found == RENEWED_TAKEN)
		__sync_fetch_and_add(&cpu_state->nr_latency, -1);
	if (found == RENEWED_NONE && state_of_llc(llc)->latency_used && in_scope(cpu))
		found = take_renewed(dsq_id(DSQ_LATENCY_LLC, llc), cpu, key);
	return found == RENEWED_NONE ? take_normal(cpu, llc) : found == RENEWED_TAKEN;
}

/* Normal tasks first? They are no longer owed anything when none of them wants the CPU. */
static inline bool take_floor(s32 cpu, u32 llc)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	u64 now_ns;

	if (cpu_state->running.kind != RUNNING_BUDGETED && !cpu_state->is_paying)
		return false;
	now_ns = scx_bpf_now();
	if (!pay_floor_if_due(cpu_state, now_ns) || floor_waits(cpu, now_ns))
		return false;
	if (take_normal(cpu, llc))
		return true;
	cpu_state->is_paying = false;
	cpu_state->owed_ns = 0;
	return false;
}
