/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Over caches and nodes: where a budgeted task waits that found no idle CPU, and who takes one whose last
 * safe moment has come although its CPU cannot be preempted. policy/placement.h has the order and the
 * bounds. Part of scx_latency.bpf.c, which explains the whole.
 */
#pragma once

#include "bpf/latency_state.bpf.h"
#include "policy/placement.h"

static inline enum candidate rank_of(s32 cpu, u64 now_ns, u64 key)
{
	return rank_candidate(&state_of_cpu(cpu)->running, in_scope(cpu), now_ns, key);
}

static inline u32 llc_near(u32 home, u32 step)
{
	const volatile struct llc_place* at = &llc_places[home % CPUS_MAX];
	/* Member by member: without "volatile" the compiler takes the table, which the loader fills, for zeros. */
	struct llc_place place = {.first_llc_of_node = at->first_llc_of_node, .nr_llcs_of_node = at->nr_llcs_of_node};

	return near_llc(home, step, &place, nr_llcs) % CPUS_MAX;
}

/* ---- at the wakeup ---- */

/*
 * Is it worth looking further than this CPU? In scope the key tells whether the task had a deadline when it last
 * ran: a guess that costs nothing, and a class that just got its budget is placed one wakeup later.
 */
static inline bool wants_other_cpu(struct task_struct* p, s32 cpu)
{
	struct task_state* state;

	if (is_best_candidate(&state_of_cpu(cpu)->running, in_scope(cpu)))
		return false;
	if (in_scope(cpu))
		return is_deadline_key(p->scx.dsq_vtime);
	state = bpf_task_storage_get(&task_states, p, NULL, 0);
	if (!state)
		return false;
	refresh_budget(p, state);
	return state->budget_ns != 0;
}

/* The best of the few next to its previous CPU, or, when that is out of scope, next to the nearest that is not. */
static inline s32 find_cpu_near(struct task_struct* p, s32 prev_cpu)
{
	s32 first = in_scope(prev_cpu) ? prev_cpu : llc_places[llc_of(prev_cpu)].scope_cpu;
	u64 now_ns = scx_bpf_now();
	u64 claim = deadline_key(now_ns);
	enum candidate best_rank = rank_of(prev_cpu, now_ns, claim);
	enum candidate rank;
	s32 best = prev_cpu;
	s32 cpu = first;
	int i;

	bpf_for(i, 0, WAKEUP_CPUS_MAX)
	{
		rank = rank_of(cpu, now_ns, claim);
		if (rank > best_rank && bpf_cpumask_test_cpu(cpu, p->cpus_ptr)) {
			best = cpu;
			best_rank = rank;
		}
		cpu = next_in_llc[(u32)cpu % CPUS_MAX];
		if (best_rank == CANDIDATE_PREEMPTIBLE || cpu == first)
			break;
	}
	return best;
}

/* ---- at the last safe moment ---- */

/*
 * A CPU that the task may preempt: first of this cache, in the order of its ring, then of others, near ones first; of
 * those one in which somebody waits for a CPU itself has none to give. -1: none. `left` counts the CPUs that may still
 * be looked at. One loop for all caches: nested ones have too many states for the verifier of 6.18.
 */
static inline s32 find_urgent_cpu(struct task_struct* p, s32 home_cpu, u64 now_ns, u32* left)
{
	u32 home = llc_of(home_cpu);
	s32 first = home_cpu;
	s32 cpu = home_cpu;
	s32 found = -1;
	bool is_usable = true;
	u32 nr_looked_at = 0;
	u32 step = 0;
	u32 llc, i;

	bpf_for(i, 0, *left)
	{
		nr_looked_at = i + 1;
		if (is_usable && rank_of(cpu, now_ns, p->scx.dsq_vtime) == CANDIDATE_PREEMPTIBLE &&
		    bpf_cpumask_test_cpu(cpu, p->cpus_ptr)) {
			found = cpu;
			break;
		}
		cpu = next_in_llc[(u32)cpu % CPUS_MAX];
		if (is_usable && cpu != first)
			continue;
		step++;
		if (step >= nr_llcs || step >= URGENT_LLCS_MAX)
			break;
		llc = llc_near(home, step);
		is_usable = !state_of_llc(llc)->latency_used || !scx_bpf_dsq_nr_queued(dsq_id(DSQ_LATENCY_LLC, llc));
		first = llc_places[llc].first_cpu;
		cpu = first;
	}
	*left -= nr_looked_at;
	return found;
}

/*
 * Puts a queued task at the head of another CPU's own queue. False: it left its queue meanwhile, or that CPU ceased
 * to run normal work. Without the run-queue lock: the kind is exchanged, so that two timers do not take one CPU.
 * The kernel moves the task only while it is in the queue since before the iterator began: its mask,
 * which changes elsewhere, is the one that was looked at.
 */
static inline bool move_to_cpu(struct bpf_iter_scx_dsq* it, struct task_struct* p, s32 cpu)
{
	struct running_facts* running = &state_of_cpu(cpu)->running;

	if (p->migration_disabled) /* rarer than is_migration_disabled() says; here it would end the scheduler */
		return false;
	if (__sync_val_compare_and_swap(&running->kind, RUNNING_NORMAL, RUNNING_ARRIVING) != RUNNING_NORMAL)
		return false;
	if (scx_bpf_dsq_move(it, p, DSQ_LOCAL_ON | cpu, ENQ_PREEMPT)) {
		/* Else it was seen to wait there for the tick, while a CPU idled (6.18). */
		scx_bpf_kick_cpu(cpu, KICK_PREEMPT);
		return true;
	}
	__sync_val_compare_and_swap(&running->kind, RUNNING_ARRIVING, RUNNING_NORMAL);
	return false;
}

/*
 * The timer of a CPU that cannot be preempted, or should not: for the first of those that wait in its cache's queue,
 * and whose last safe moment has come, somebody else must. A CPU of the same cache is told to choose again; one of
 * another cache is given the task, as it would look into its own queues only. nr_cpus_max: so many are looked at, this
 * cache first.
 */
static bool preempt_elsewhere(s32 cpu, u64 now_ns, u32 nr_cpus_max, const struct latency_tunables* tunables)
{
	u64 dsq = dsq_id(DSQ_LATENCY_LLC, llc_of(cpu));
	u64 latest_ns = due_ns(now_ns, false, tunables);
	u32 left = nr_cpus_max;
	struct bpf_iter_scx_dsq it;
	struct task_struct* p;
	bool done = false;
	s32 other;
	int i;

	bpf_rcu_read_lock();
	if (!bpf_iter_scx_dsq_new(&it, dsq, 0)) {
		bpf_for(i, 0, LOOKED_AT_MAX)
		{
			p = bpf_iter_scx_dsq_next(&it);
			if (!p || deadline_of_key(p->scx.dsq_vtime) > latest_ns)
				break;
			other = find_urgent_cpu(p, cpu, now_ns, &left);
			if (other < 0)
				continue;
			if (llc_of(other) == llc_of(cpu)) {
				scx_bpf_kick_cpu(other, KICK_PREEMPT);
				done = true;
				break;
			}
			if (move_to_cpu(&it, p, other)) {
				COUNT(nr_remote);
				done = true;
				break;
			}
		}
	}
	bpf_iter_scx_dsq_destroy(&it);
	bpf_rcu_read_unlock();
	return done;
}
