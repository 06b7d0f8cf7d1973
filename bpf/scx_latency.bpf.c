/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scx_latency: latency budgets by cgroup, everything else weighted fair.
 *
 * A task below a cgroup with a budget runs within that budget of becoming runnable. Preempting at
 * every wakeup would keep the promise too, but at 60k wakeups a second the switches eat a third of
 * the CPU. So the running task stays until the last safe moment (deadline - reserve): meanwhile
 * packets gather, and one switch serves several. policy/latency.h decides; this file collects
 * facts, asks, and applies the answer.
 *
 * Queues. For each last-level cache a latency queue (by deadline) and a normal queue (by vtime);
 * for each CPU the same two for tasks that only it may run. ops.dispatch looks at the latency
 * queues first, so any scheduling point serves the earliest deadline at no extra cost.
 *
 * Timers. One a CPU: armed when a budgeted task is queued for that CPU, it preempts whoever runs
 * there. A slice would not do: the kernel looks at slices only at the tick (4 ms at HZ=250). If a
 * timer should ever be missed, ops.tick finds the waiting task.
 *
 * Accounting uses the kernel's own sum of execution time (se.sum_exec_runtime): a task is charged
 * when it is queued the next time, so there is no ops.stopping.
 *
 * Floor and cap. Budgeted running time makes a CPU owe normal tasks their share; when a grain is owed
 * they come first, and whoever ran for long comes back later (policy/floor.h). A class over its cap is
 * served as normal until the period ends (policy/cap.h). The tick looks first, the timer from then on.
 *
 * Weights. Normal tasks are charged by an effective weight, in which the weights of all cgroups above count
 * (policy/weight.h, latency_weight.bpf.h). It is found anew a few times in each epoch, not at every wakeup.
 *
 * Whoever has waited for more than a second goes first (policy/starvation.h).
 *
 * Ten times a second a timer says of each class whether its budget can be kept (policy/feasible.h). What it goes by
 * is noted where a wait ends and at the tick.
 *
 * When it is a bad choice: budgets shorter than the switch itself (about 5 us), or a class that
 * needs more CPU than there is.
 *
 * CPUs outside cpus_in_scope serve all tasks plainly fair.
 */
#include "bpf/scx.bpf.h"
#include "abi/loglin.h"
#include "abi/sched.h"
#include "bpf/latency_dispatch.bpf.h"
#include "bpf/latency_feasible.bpf.h"
#include "bpf/latency_place.bpf.h"
#include "bpf/latency_queue.bpf.h"
#include "bpf/latency_starved.bpf.h"
#include "bpf/latency_state.bpf.h"
#include "bpf/latency_timer.bpf.h"
#include "bpf/latency_weight.bpf.h"
#include "policy/latency.h"
#include "policy/reserve.h"
#include "policy/vtime.h"

char _license[] SEC("license") = "GPL";

/* ---- callbacks, in the order of a task's life ---- */

SEC("struct_ops.s/latency_init_task")
s32 BPF_PROG(latency_init_task, struct task_struct* p, struct scx_init_task_args* args)
{
	return bpf_task_storage_get(&task_states, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

/* Entering the class: no debt and no credit from before. */
SEC("struct_ops/latency_enable")
void BPF_PROG(latency_enable, struct task_struct* p)
{
	struct task_state* state = bpf_task_storage_get(&task_states, p, NULL, 0);

	if (state)
		begin_account(p, state);
}

SEC("struct_ops/latency_select_cpu")
s32 BPF_PROG(latency_select_cpu, struct task_struct* p, s32 prev_cpu, u64 wake_flags)
{
	struct cpu_state* here = state_of_cpu(bpf_get_smp_processor_id());
	bool is_idle = false;
	s32 cpu;

	/* Its wait begins here: to choose a CPU takes a microsecond or two of its budget. */
	here->waking_ns = scx_bpf_now();
	here->waking_pid = p->pid;
	/*
	 * With WAKE_SYNC the kernel would call the CPU of the waker idle, since it will sleep soon; and one that does
	 * not would keep the task waiting without a timer. It does so only when another CPU is idle: that one will do.
	 */
	cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags & ~WAKE_SYNC, &is_idle);
	/* An idle CPU was claimed for it: ops.enqueue puts it there (see RUNNING_NOTHING), if no other is on its way.
	 */
	if (is_idle) {
		if (state_of_cpu(cpu)->running.kind != RUNNING_ARRIVING)
			state_of_cpu(cpu)->running.kind = RUNNING_NOTHING;
		return cpu;
	}
	return wants_other_cpu(p, cpu) ? find_cpu_near(p, cpu) : cpu;
}

/*
 * When the task that is enqueued by a wakeup began to wait. Where ops.select_cpu was called for it that was on this
 * CPU, and nothing came in between: interrupts are off. (Where the kernel has another CPU enqueue it, or left the
 * choice of a CPU out, there is no stamp: it begins now.)
 */
static inline u64 woken_at_ns(const struct task_struct* p, u64 now_ns)
{
	struct cpu_state* here = state_of_cpu(bpf_get_smp_processor_id());

	if (here->waking_pid != (u32)p->pid)
		return now_ns;
	here->waking_pid = 0;
	return wait_began_ns(here->waking_ns, now_ns);
}

/* The budget of a task that is enqueued on this CPU; 0: it is served as a normal one. */
static inline u64 budget_now(struct task_struct* p, struct task_state* state, s32 cpu, u64 now_ns, u64 ran_ns)
{
	if (!in_scope(cpu))
		return 0;
	refresh_budget(p, state);
	if (state->quota_ns && class_is_over_cap(state, now_ns, ran_ns)) {
		window_of(state)->nr_over_cap++;
		return 0;
	}
	return state->budget_ns;
}

SEC("struct_ops/latency_enqueue")
void BPF_PROG(latency_enqueue, struct task_struct* p, u64 enq_flags)
{
	bool woken = enq_flags & ENQ_WAKEUP;
	s32 cpu = scx_bpf_task_cpu(p);
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	struct task_state* state;

	COUNT(nr_enqueued);
	if (!woken && resume_turn(p, cpu, enq_flags))
		return;
	state = bpf_task_storage_get(&task_states, p, NULL, 0);
	if (!state)
		state = new_state(p);
	if (!state) {
		scx_error("no memory for the state of task %d", p->pid);
		return;
	}
	u64 ran_ns = settle_account(p, state, llc_of(cpu));
	u64 now_ns = scx_bpf_now();
	u64 woken_ns = woken ? woken_at_ns(p, now_ns) : now_ns;

	if (woken)
		state->began_exec_ns = state->exec_ns_charged;
	else if (cpu_state->running.kind == RUNNING_BUDGETED)
		pay_floor_if_due(cpu_state, now_ns);
	struct latency_tunables tunables = tunables_of(cpu_state);
	struct place_facts facts = {
	    .now_ns = now_ns,
	    .budget_ns = budget_left_ns(budget_now(p, state, cpu, now_ns, ran_ns), now_ns - woken_ns),
	    .deadline_ns = state->deadline_ns,
	    .ran_ns = state->exec_ns_charged - state->began_exec_ns,
	    .running = cpu_state->running,
	    .woken = woken,
	    .bound_kthread = is_bound_kthread(p),
	};
	struct place_decision decision = decide_place(&facts, &tunables);

	state->deadline_ns = decision.deadline_ns;
	state->queued_ns = now_ns;
	state->in_queue = decision.place == PLACE_LATENCY;
	if (woken) {
		state->runnable_ns = woken_ns;
		state->wait_open = decision.deadline_ns != 0;
	}
	switch (decision.place) {
	case PLACE_LOCAL:
		COUNT(nr_idle_cpu);
		/* Until the CPU hears of it, the next one that wakes up for it must not go ahead of it. */
		if (decision.deadline_ns && !facts.bound_kthread) {
			cpu_state->running.kind = RUNNING_ARRIVING;
			cpu_state->settled_ns = now_ns; /* it was idle */
		}
		insert_local(p, state, enq_flags | ENQ_HEAD);
		break;
	case PLACE_LOCAL_PREEMPT:
		COUNT(nr_preempt_now);
		if (decision.deadline_ns) {
			settle_floor(cpu_state, now_ns);
			cpu_state->running.kind = RUNNING_ARRIVING;
			cpu_state->reserve_ns = reserve_unmeasured(cpu_state->reserve_ns, reserve_ns);
		}
		insert_local(p, state, enq_flags | ENQ_PREEMPT);
		break;
	case PLACE_LOCAL_LAST:
		insert_local(p, state, enq_flags);
		break;
	case PLACE_LATENCY:
		queue_latency(p, cpu, now_ns, &decision, enq_flags);
		break;
	case PLACE_NORMAL:
		refresh_weight(p, state, now_ns, !facts.deadline_ns);
		queue_normal(p, state, cpu, woken, enq_flags);
		break;
	}
}

SEC("struct_ops/latency_dispatch")
void BPF_PROG(latency_dispatch, s32 cpu, struct task_struct* prev)
{
	u32 llc = llc_of(cpu);
	bool goes_on = prev && (prev->scx.flags & TASK_QUEUED); /* else it sleeps */

	/* Should it find nothing, the kernel marks it idle again without telling: who queues meanwhile must know. */
	if (state_of_cpu(cpu)->running.kind == RUNNING_NOTHING)
		state_of_llc(llc)->looking_cpu = cpu + 1;
	if ((state_of_cpu(cpu)->starved_dsq && take_starved(cpu)) || take_floor(cpu, llc) ||
	    take_while_gathering(cpu, llc) || take_latency(cpu, llc) || keep_running(cpu, llc, prev) ||
	    take_normal(cpu, llc) || take_out_of_scope(cpu, llc) ||
	    (nr_llcs > 1 && take_from_other_llcs(cpu, goes_on))) {
		COUNT(nr_dispatched);
		state_of_cpu(cpu)->took_ns = scx_bpf_now();
	}
}

static inline bool is_over_cap(struct task_struct* p, s32 cpu, u64 now_ns)
{
	struct task_state* state = bpf_task_storage_get(&task_states, p, NULL, 0);

	return state && state->quota_ns && class_is_over_cap(state, now_ns, settle_account(p, state, llc_of(cpu)));
}

/* How much of a wait was in a queue of ours, by when its CPU last took somebody. */
static inline u64 queue_part_ns(const struct task_state* state, u64 took_ns, u64 wait_ns)
{
	u64 queue_ns = took_ns - state->runnable_ns;

	return state->in_queue && queue_ns <= wait_ns ? queue_ns : 0;
}

static inline void count_wait(const struct task_state* state, s32 cpu, u64 wait_ns)
{
	u32 row = state->class_index;
	u64 queue_ns = queue_part_ns(state, state_of_cpu(cpu)->took_ns, wait_ns);
	struct class_stats* class = bpf_map_lookup_elem(&class_stats, &row);
	u32 bucket = loglin_index_capped(wait_ns, WAIT_BITS, WAIT_VALUE_BITS);

	if (!class || bucket >= WAIT_BUCKETS)
		return;
	class->nr_waits++;
	class->nr_missed += wait_ns > state->budget_ns;
	class->wait_ns_sum += wait_ns;
	class->queue_ns_sum += queue_ns;
	if (wait_ns - queue_ns > class->start_ns_max)
		class->start_ns_max = wait_ns - queue_ns;
	if (wait_ns > class->wait_ns_max)
		class->wait_ns_max = wait_ns;
	class->buckets[bucket]++;
	feasible_wait(window_of(state), wait_ns, state->budget_ns, cpu);
}

static void budgeted_runs(struct task_struct* p, s32 cpu, u64 key, u64 now_ns)
{
	struct task_state* state = bpf_task_storage_get(&task_states, p, NULL, 0);
	struct cpu_state* cpu_state = state_of_cpu(cpu);

	cpu_state->running.kind = RUNNING_BUDGETED;
	cpu_state->running.deadline_ns = deadline_of_key(key);
	if (cpu_state->timer_due_ns) {
		cpu_state->reserve_ns = decide_reserve_after(
		    cpu_state->reserve_ns, elapsed_ns(cpu_state->timer_due_ns, now_ns), reserve_max_ns);
		cpu_state->timer_due_ns = 0;
	}
	if (!state)
		return;
	cpu_state->running.budget_ns = state->budget_ns;
	cpu_state->running.turn_until_ns = now_ns + ROUND_NS;
	cpu_state->running.kept_until_ns = burst_until_ns(now_ns, p->se.sum_exec_runtime - state->began_exec_ns,
							  class_burst_ns(state->budget_ns, burst_ns));
	if (state->wait_open) {
		state->wait_open = false;
		count_wait(state, cpu, now_ns - state->runnable_ns);
	}
	/* It may not sleep soon: look after those behind it, and after the floor where that was needed lately. */
	if (latency_waits(cpu))
		watch_claims(cpu, now_ns);
	if (now_ns - cpu_state->granted_ns < floor_window_ns)
		arm_timer(cpu, now_ns, now_ns + floor_look_ns(cpu_state->owed_ns, &floor_knobs));
}

static void normal_runs(struct task_struct* p, s32 cpu, u64 key, u64 now_ns)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	u64* clock = &state_of_llc(llc_of(cpu))->vtime_clock;

	/* A turn that a kernel thread interrupted is kept for no longer than it was. */
	if (cpu_state->running.kind != RUNNING_KTHREAD || cpu_state->turn_pid != (u32)p->pid)
		cpu_state->running.kept_until_ns = floor_kept_until_ns(now_ns, cpu_state->owed_ns, &floor_knobs);
	cpu_state->running.turn_until_ns =
	    floor_paid_until_ns(now_ns, cpu_state->owed_ns, cpu_state->is_paying, &floor_knobs);
	cpu_state->running.kind = RUNNING_NORMAL;
	if (cpu_state->is_paying) {
		COUNT(nr_floor_granted);
		cpu_state->granted_ns = now_ns;
	}
	if (cpu_state->turn_pid != (u32)p->pid) {
		cpu_state->turn_pid = p->pid;
		cpu_state->turn_began_exec_ns = p->se.sum_exec_runtime;
	}
	if (vtime_before(*clock, key))
		*clock = key;
}

SEC("struct_ops/latency_running")
void BPF_PROG(latency_running, struct task_struct* p)
{
	s32 cpu = scx_bpf_task_cpu(p);
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	u64 key = p->scx.dsq_vtime;
	u64 now_ns = scx_bpf_now();

	settle_floor(cpu_state, now_ns);
	if (is_deadline_key(key)) {
		budgeted_runs(p, cpu, key, now_ns);
		return;
	}
	if (is_bound_kthread(p)) /* between two parts of somebody's turn; its key may be a deadline */
		cpu_state->running.kind = RUNNING_KTHREAD;
	else
		normal_runs(p, cpu, key, now_ns);
	watch_waiting(cpu, now_ns);
}

/*
 * Under the timers: should one be missed, the tick serves the waiting task. And the first look at
 * the floor and at the cap, for tasks that reach no scheduling point by themselves.
 */
SEC("struct_ops/latency_tick")
void BPF_PROG(latency_tick, struct task_struct* p)
{
	s32 cpu = scx_bpf_task_cpu(p);
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	struct latency_tunables tunables = tunables_of(cpu_state);
	u64 now_ns = scx_bpf_now();

	sample_class(p, cpu, now_ns);
	if (look_for_starved(cpu, now_ns) || floor_wants_cpu(cpu, now_ns) ||
	    (cpu_state->running.kind == RUNNING_BUDGETED && is_over_cap(p, cpu, now_ns)) ||
	    (cpu_state->timer_at_ns < now_ns && latency_is_queued(cpu) && cpu_may_be_preempted(cpu, now_ns, &tunables)))
		task_set_slice(p, 0);
	if (nr_groups && cpu_state->running.kind == RUNNING_NORMAL)
		report_running(p, now_ns);
}

/* Wakes an idle CPU for one of the first tasks of a queue, if that has ever held any. */
static inline void wake_cpu_for_first(bool used, u64 dsq)
{
	struct bpf_iter_scx_dsq it;
	struct task_struct* p;
	int i;

	if (!used || !scx_bpf_dsq_nr_queued(dsq))
		return;
	bpf_rcu_read_lock();
	if (!bpf_iter_scx_dsq_new(&it, dsq, 0)) {
		bpf_for(i, 0, LOOKED_AT_MAX)
		{
			p = bpf_iter_scx_dsq_next(&it);
			if (!p || wake_idle_cpu(p))
				break;
		}
	}
	bpf_iter_scx_dsq_destroy(&it);
	bpf_rcu_read_unlock();
}

/*
 * What waits in the cache's queues although a CPU is idle, because it came too late for ops.dispatch of a CPU that
 * goes idle, or because a CPU that was claimed for it took somebody else. Only CPUs that go idle or cease to be
 * look: a busy one pays nothing.
 */
SEC("struct_ops/latency_update_idle")
void BPF_PROG(latency_update_idle, s32 cpu, bool idle)
{
	u32 llc = llc_of(cpu);
	struct llc_state* llc_state = state_of_llc(llc);

	if (!idle) {
		scx_bpf_test_and_clear_cpu_idle(cpu); /* the kernel does so after us */
		wake_cpu_for_first(llc_state->latency_used, dsq_id(DSQ_LATENCY_LLC, llc));
		wake_cpu_for_first(llc_state->normal_used, dsq_id(DSQ_NORMAL_LLC, llc));
		return;
	}
	state_of_cpu(cpu)->running.kind = RUNNING_NOTHING;
	state_of_cpu(cpu)->owed_ns = 0; /* nobody wants it */
	if ((llc_state->latency_used && scx_bpf_dsq_nr_queued(dsq_id(DSQ_LATENCY_LLC, llc)) > 0) ||
	    (llc_state->normal_used && scx_bpf_dsq_nr_queued(dsq_id(DSQ_NORMAL_LLC, llc)) > 0))
		scx_bpf_kick_cpu(cpu, KICK_IDLE);
}

SEC("struct_ops.s/latency_init")
s32 BPF_PROG(latency_init)
{
	u32 nr_cpus = scx_bpf_nr_cpu_ids();
	s32 err = 0;
	u32 i;

	if (nr_cpus > CPUS_MAX) {
		scx_error("%u CPUs are more than the %u that scx_latency is built for", nr_cpus, CPUS_MAX);
		return -EINVAL;
	}
	floor_knobs = floor_tunables_of(floor_percent, floor_window_ns, grain_ns);
	bpf_for(i, 0, nr_cpus)
	{
		u32 key = i;
		struct preempt_timer* slot = bpf_map_lookup_elem(&preempt_timers, &key);

		if (!slot)
			return -ENOENT;
		state_of_cpu(i)->reserve_ns = reserve_ns;
		state_of_cpu(i)->running.nr_other_cpus = llc_places[llc_of(i)].nr_cpus_in_scope - in_scope(i);
		/* The kernel begins with all CPUs idle; those that are say so again before we are enabled. */
		scx_bpf_test_and_clear_cpu_idle(i);
		err = bpf_timer_init(&slot->timer, &preempt_timers, CLOCK_MONOTONIC);
		if (!err)
			err = bpf_timer_set_callback(&slot->timer, timer_fired);
		if (!err)
			err = scx_bpf_create_dsq(dsq_id(DSQ_LATENCY_CPU, i), -1);
		if (!err)
			err = scx_bpf_create_dsq(dsq_id(DSQ_NORMAL_CPU, i), -1);
		if (err)
			return err;
	}
	bpf_for(i, 0, nr_llcs)
	{
		err = scx_bpf_create_dsq(dsq_id(DSQ_LATENCY_LLC, i), -1);
		if (!err)
			err = scx_bpf_create_dsq(dsq_id(DSQ_NORMAL_LLC, i), -1);
		if (err)
			return err;
	}
	return start_windows();
}

SEC("struct_ops/latency_exit")
void BPF_PROG(latency_exit, struct scx_exit_info* info)
{
	record_exit(info);
}

/*
 * Without the last two flags the kernel itself puts exiting tasks, and those that may not migrate for the moment, on
 * the CPU's own queue. While a deadline is due each normal task has to leave as soon as it starts: two of them would
 * take turns of nothing there for ever, and ops.dispatch would never be asked.
 */
SEC(".struct_ops.link")
struct sched_ext_ops latency_ops = {
    .select_cpu = (void*)latency_select_cpu,
    .enqueue = (void*)latency_enqueue,
    .dispatch = (void*)latency_dispatch,
    .running = (void*)latency_running,
    .tick = (void*)latency_tick,
    .update_idle = (void*)latency_update_idle,
    .enable = (void*)latency_enable,
    .init_task = (void*)latency_init_task,
    .cgroup_init = (void*)latency_cgroup_init,
    .cgroup_exit = (void*)latency_cgroup_exit,
    .cgroup_set_weight = (void*)latency_cgroup_set_weight,
    .init = (void*)latency_init,
    .exit = (void*)latency_exit,
    .flags = SCX_OPS_KEEP_BUILTIN_IDLE | SCX_OPS_ENQ_EXITING | SCX_OPS_ENQ_MIGRATION_DISABLED,
    .name = "scx_latency",
};
