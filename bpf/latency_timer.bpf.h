/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The timers of scx_latency: one a CPU, due at the last safe moment of the tasks queued for it.
 * Part of scx_latency.bpf.c, which explains the whole.
 */
#pragma once

#include "bpf/latency_place.bpf.h"
#include "bpf/latency_state.bpf.h"

static void arm_timer(s32 cpu, u64 now_ns, u64 at_ns)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	u32 key = cpu;
	struct preempt_timer* slot;

	/* It looks early enough; one that is overdue fires as soon as interrupts are on, and must not be put off. */
	if (cpu_state->timer_at_ns && cpu_state->timer_at_ns <= at_ns)
		return;
	slot = bpf_map_lookup_elem(&preempt_timers, &key);
	if (!slot)
		return;
	cpu_state->timer_at_ns = at_ns;
	bpf_timer_start(&slot->timer, at_ns - now_ns, BPF_F_TIMER_CPU_PIN);
	COUNT(nr_timer_armed);
}

constexpr u64 KEY_NONE = ~0ULL;

/* The key of the first task in a queue that this CPU may run; KEY_NONE: there is none among the first few. */
VERIFIED_ONCE u64 first_key(u64 dsq, s32 cpu)
{
	struct bpf_iter_scx_dsq it;
	struct task_struct* p;
	u64 key = KEY_NONE;
	int i;

	bpf_rcu_read_lock(); /* the timer's callback has none of its own before 6.18 */
	if (!bpf_iter_scx_dsq_new(&it, dsq, 0)) {
		bpf_for(i, 0, LOOKED_AT_MAX)
		{
			p = bpf_iter_scx_dsq_next(&it);
			if (!p)
				break;
			if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
				continue;
			key = p->scx.dsq_vtime;
			break;
		}
	}
	bpf_iter_scx_dsq_destroy(&it);
	bpf_rcu_read_unlock();
	return key;
}

/*
 * Does a budgeted task wait for this CPU? Looking a queue up costs a hundred instructions, so the
 * CPU's own is counted. A task that leaves it by another way than ops.dispatch (new affinity, exit)
 * makes the count too high until dispatch finds the queue empty: one needless look or kick. The
 * cache's queue is looked up, once it has ever been used.
 */
static inline bool latency_waits(s32 cpu)
{
	u32 llc = llc_of(cpu);

	return state_of_cpu(cpu)->nr_latency > 0 ||
	       (state_of_llc(llc)->latency_used && scx_bpf_dsq_nr_queued(dsq_id(DSQ_LATENCY_LLC, llc)) > 0);
}

/* For this CPU alone: who waits for several of them is served by the one, or by another. */
static inline bool several_wait(s32 cpu)
{
	u32 llc = llc_of(cpu);
	s64 waiting = state_of_cpu(cpu)->nr_latency;

	if (!state_of_cpu(cpu)->running.nr_other_cpus && state_of_llc(llc)->latency_used)
		waiting += scx_bpf_dsq_nr_queued(dsq_id(DSQ_LATENCY_LLC, llc));
	return waiting > 1;
}

/* The same from the queues themselves. */
static inline bool latency_is_queued(s32 cpu)
{
	return scx_bpf_dsq_nr_queued(dsq_id(DSQ_LATENCY_CPU, cpu)) > 0 ||
	       scx_bpf_dsq_nr_queued(dsq_id(DSQ_LATENCY_LLC, llc_of(cpu))) > 0;
}

static inline u64 earliest_key(s32 cpu)
{
	u64 own = first_key(dsq_id(DSQ_LATENCY_CPU, cpu), cpu);
	u64 shared = first_key(dsq_id(DSQ_LATENCY_LLC, llc_of(cpu)), cpu);

	return own < shared ? own : shared;
}

static inline struct latency_tunables tunables_of(const struct cpu_state* cpu_state)
{
	return (struct latency_tunables){
	    cpu_state->reserve_ns + switch_ns, burst_ns, slice_ns, slack_min_ns, kthread_budget_ns, hysteresis_ns};
}

/* By the first of those that wait for it. */
static __always_inline bool cpu_may_be_preempted(s32 cpu, u64 now_ns, const struct latency_tunables* tunables)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	u64 key = key_counts(&cpu_state->running, now_ns) ? earliest_key(cpu) : 0;

	return decide_may_preempt(&cpu_state->running, now_ns, key, tunables);
}

/* When this CPU must be taken, should a task with this key wait beside those that do; KEY_NONE: no earlier for that. */
static inline u64 safe_for_both(s32 cpu, u64 now_ns, u64 key)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	bool is_kept = cpu_state->running.kind == RUNNING_NORMAL;
	u64 other_key = earliest_key(cpu);

	if (other_key == KEY_NONE)
		return KEY_NONE;
	return decide_safe_for_both_ns(now_ns, key, other_key, cpu_state->reserve_ns + switch_ns, burst_ns,
				       is_kept ? cpu_state->running.kept_until_ns : 0);
}

/* ---- the floor ---- */

/*
 * Counts what ran on this CPU since the last time. Under its run-queue lock. Bringing a budgeted task in counts as its
 * running: where many take turns that is a tenth of the time.
 */
static inline void settle_floor(struct cpu_state* cpu_state, u64 now_ns)
{
	u64 ran_ns = elapsed_ns(cpu_state->settled_ns, now_ns);

	if (cpu_state->running.kind >= RUNNING_BUDGETED)
		cpu_state->owed_ns = decide_floor_after_budgeted(cpu_state->owed_ns, ran_ns, &floor_knobs);
	else if (cpu_state->running.kind == RUNNING_NORMAL)
		cpu_state->owed_ns = decide_floor_after_normal(cpu_state->owed_ns, ran_ns);
	/* Before the next budgeted task, however short it runs, owes anew. */
	cpu_state->is_paying &= cpu_state->owed_ns > 0;
	cpu_state->settled_ns += ran_ns;
}

static inline bool normal_waits(s32 cpu)
{
	return scx_bpf_dsq_nr_queued(dsq_id(DSQ_NORMAL_CPU, cpu)) > 0 ||
	       scx_bpf_dsq_nr_queued(dsq_id(DSQ_NORMAL_LLC, llc_of(cpu))) > 0;
}

/* One that was preempted in the middle of its turn waits on the CPU's own queue (resume_turn()). */
static inline bool floor_is_wanted(s32 cpu)
{
	return normal_waits(cpu) || scx_bpf_dsq_nr_queued(DSQ_LOCAL_ON | cpu) > 0;
}

/*
 * Do normal tasks come first from now on? Under the run-queue lock. Asked where the CPU chooses, and where a budgeted
 * task leaves it: for one that waits on the CPU's own queue the kernel does not ask us whom to choose.
 */
static inline bool pay_floor_if_due(struct cpu_state* cpu_state, u64 now_ns)
{
	settle_floor(cpu_state, now_ns);
	cpu_state->is_paying = decide_floor_is_due(cpu_state->owed_ns, cpu_state->is_paying, &floor_knobs);
	return cpu_state->is_paying;
}

/* Must the budgeted task on this CPU leave for normal ones? Also without the run-queue lock. */
static inline bool floor_wants_cpu(s32 cpu, u64 now_ns)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	u64 owed_ns;

	if (cpu_state->running.kind != RUNNING_BUDGETED)
		return false;
	owed_ns =
	    decide_floor_after_budgeted(cpu_state->owed_ns, elapsed_ns(cpu_state->settled_ns, now_ns), &floor_knobs);
	return decide_floor_is_due(owed_ns, cpu_state->is_paying, &floor_knobs) && floor_is_wanted(cpu);
}

/* Whenever a budgeted task runs. */
static inline void watch_claims(s32 cpu, u64 now_ns)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	struct latency_tunables tunables = tunables_of(cpu_state);
	u64 key = earliest_key(cpu);
	u64 look_ns;

	if (key == KEY_NONE)
		return;
	look_ns = decide_look_at_start_ns(now_ns, key, &cpu_state->running, &tunables);
	if (look_ns > now_ns)
		arm_timer(cpu, now_ns, look_ns);
	else
		scx_bpf_kick_cpu(cpu, KICK_PREEMPT);
}

/* Whenever normal work runs, a timer knows of the earliest deadline. */
static inline void watch_waiting(s32 cpu, u64 now_ns)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	struct latency_tunables tunables;
	u64 until_ns;
	u64 key;

	if (!latency_waits(cpu))
		return;
	key = earliest_key(cpu);
	if (key == KEY_NONE) /* those who wait may not run here; and a timer in 584 years would fire at once */
		return;
	tunables = tunables_of(cpu_state);
	until_ns = decide_may_run_until_ns(now_ns, key, &cpu_state->running, &tunables);
	if (until_ns > now_ns) {
		arm_timer(cpu, now_ns, until_ns);
	} else {
		COUNT(nr_preempt_late);
		scx_bpf_kick_cpu(cpu, KICK_PREEMPT);
	}
}

/* To move it here would end the scheduler. */
static inline bool is_bound_elsewhere(const struct task_struct* p, s32 cpu)
{
	return p->migration_disabled && scx_bpf_task_cpu(p) != cpu;
}

/*
 * Makes the first task of a queue that this CPU may run its next one, in the place of what runs there, if its
 * deadline is no later than that. Returns its key; KEY_NONE: none was there any more. From the CPU's timer: compared
 * with a kick it saves an interrupt and a call of ops.dispatch. Until the CPU hears of it, the next one that wakes up
 * must not go ahead of it; that is said without the run-queue lock, and before it moves: an interrupt may wake somebody
 * in between.
 */
VERIFIED_ONCE u64 preempt_by_first(u64 dsq, s32 cpu, u64 latest_ns)
{
	struct running_facts* running = &state_of_cpu(cpu)->running;
	enum running_kind kind = running->kind;
	struct bpf_iter_scx_dsq it;
	struct task_struct* p;
	u64 key = KEY_NONE;
	int i;

	bpf_rcu_read_lock();
	if (!bpf_iter_scx_dsq_new(&it, dsq, 0)) {
		bpf_for(i, 0, LOOKED_AT_MAX)
		{
			p = bpf_iter_scx_dsq_next(&it);
			if (!p)
				break;
			if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr) || is_bound_elsewhere(p, cpu))
				continue;
			key = p->scx.dsq_vtime;
			if (deadline_of_key(key) > latest_ns)
				break;
			running->kind = RUNNING_ARRIVING;
			if (!scx_bpf_dsq_move(&it, p, DSQ_LOCAL_ON | cpu, ENQ_PREEMPT)) {
				running->kind = kind;
				key = KEY_NONE;
			}
			break;
		}
	}
	bpf_iter_scx_dsq_destroy(&it);
	bpf_rcu_read_unlock();
	return key;
}

/*
 * The queue of ours whose first task comes next on this CPU, when that is clear without a look at keys; 0: it is not,
 * or whom a real-time task preempted the kernel has put on the CPU's own queue. Nobody goes ahead of him there, which
 * neither ops.dispatch nor any look for starving tasks would see.
 */
static inline u64 next_latency_dsq(s32 cpu)
{
	u64 own = dsq_id(DSQ_LATENCY_CPU, cpu);
	u64 shared = dsq_id(DSQ_LATENCY_LLC, llc_of(cpu));

	if (scx_bpf_dsq_nr_queued(DSQ_LOCAL_ON | cpu))
		return 0;
	if (!in_scope(cpu) || !state_of_llc(llc_of(cpu))->latency_used || !scx_bpf_dsq_nr_queued(shared))
		return own;
	return scx_bpf_dsq_nr_queued(own) ? 0 : shared;
}

/*
 * Preempts this CPU, which runs the timer, for the earliest deadline; or looks again, if that is one whose moment has
 * not come: whom the timer was for was served meanwhile. False: looks again.
 */
static inline bool take_cpu(s32 cpu, u64 now_ns, const struct latency_tunables* tunables)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	u64 latest_ns = due_ns(now_ns, several_wait(cpu), tunables);
	u64 dsq = next_latency_dsq(cpu);
	u64 key;

	settle_floor(cpu_state, now_ns);
	key = dsq ? preempt_by_first(dsq, cpu, latest_ns) : earliest_key(cpu);

	if (key != KEY_NONE && deadline_of_key(key) > latest_ns) {
		arm_timer(cpu, now_ns, decide_look_again_ns(now_ns, key, &cpu_state->running, tunables));
		return false;
	}
	if (dsq && key != KEY_NONE) {
		cpu_state->took_ns = now_ns;
		if (dsq == dsq_id(DSQ_LATENCY_CPU, cpu))
			__sync_fetch_and_add(&cpu_state->nr_latency, -1);
		/* Earlier than some 6.18 the kernel moves it in front and preempts nobody. */
		if ((s32)bpf_get_smp_processor_id() == cpu && !bpf_get_current_task_btf()->scx.slice)
			return true;
	}
	scx_bpf_kick_cpu(cpu, KICK_PREEMPT);
	return true;
}

/* The last safe moment of a task queued for this CPU, or its floor. Runs in softirq, without the run-queue lock. */
static int timer_fired(void* map, u32* key, struct preempt_timer* slot)
{
	s32 cpu = *key;
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	struct latency_tunables tunables = tunables_of(cpu_state);
	u64 now_ns = scx_bpf_now();
	u64 due_ns;

	COUNT(nr_timer_fired);
	due_ns = cpu_state->timer_at_ns;
	cpu_state->timer_at_ns = 0;
	if (floor_wants_cpu(cpu, now_ns)) {
		COUNT(nr_floor_preempted);
		scx_bpf_kick_cpu(cpu, KICK_PREEMPT);
		return 0; /* watch_waiting() arms the timer again */
	}
	if (!latency_waits(cpu))
		return 0; /* served by itself in the meantime */
	bool is_preemptible = cpu_may_be_preempted(cpu, now_ns, &tunables);
	u32 nr_cpus_max = nr_urgent_cpus(&cpu_state->running, is_preemptible);

	if (nr_cpus_max && preempt_elsewhere(cpu, now_ns, nr_cpus_max, &tunables)) {
		COUNT(nr_timer_preempted);
	} else if (is_preemptible) {
		if (take_cpu(cpu, now_ns, &tunables)) {
			/* Should another normal task come first, watch_waiting() looks again. */
			COUNT(nr_timer_preempted);
			cpu_state->timer_due_ns = due_ns;
		}
		return 0;
	}
	arm_timer(cpu, now_ns, decide_retry_look_ns(now_ns, &cpu_state->running, retry_ns, &tunables));
	return 0;
}
