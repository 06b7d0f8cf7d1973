/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The net for those who wait for more than a second, see policy/starvation.h: the tick looks through the queues of its
 * CPU, and ops.dispatch takes what it found. Part of scx_latency.bpf.c, which explains the whole.
 */
#pragma once

#include "bpf/latency_state.bpf.h"
#include "policy/starvation.h"

/* Is there one that starves and may run here, from this end of a queue? With take it becomes the CPU's next one. */
static __always_inline bool visit_starved(u64 dsq, u64 end, s32 cpu, u64 now_ns, bool take)
{
	struct bpf_iter_scx_dsq it;
	struct task_state* state;
	struct task_struct* p;
	bool found = false;
	int i;

	bpf_rcu_read_lock();
	if (!bpf_iter_scx_dsq_new(&it, dsq, end)) {
		bpf_for(i, 0, STARVED_LOOKED_AT_MAX)
		{
			p = bpf_iter_scx_dsq_next(&it);
			if (!p)
				break;
			state = bpf_task_storage_get(&task_states, p, NULL, 0);
			if (!state || !is_starved(now_ns, state->queued_ns) || !bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
				continue;
			found = !take || scx_bpf_dsq_move(&it, p, DSQ_LOCAL_ON | cpu, 0);
			break;
		}
	}
	bpf_iter_scx_dsq_destroy(&it);
	bpf_rcu_read_unlock();
	return found;
}

VERIFIED_ONCE bool has_starved(u64 dsq, s32 cpu, u64 now_ns)
{
	return scx_bpf_dsq_nr_queued(dsq) > 0 &&
	       (visit_starved(dsq, 0, cpu, now_ns, false) || visit_starved(dsq, DSQ_ITER_REV, cpu, now_ns, false));
}

/* At the tick. True: ops.dispatch is to be asked. */
static inline bool look_for_starved(s32 cpu, u64 now_ns)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	u32 llc = llc_of(cpu);

	if (!starved_look_is_due(now_ns, cpu_state->starved_look_ns))
		return false;
	cpu_state->starved_look_ns = now_ns;
	if (has_starved(dsq_id(DSQ_LATENCY_CPU, cpu), cpu, now_ns))
		cpu_state->starved_dsq = dsq_id(DSQ_LATENCY_CPU, cpu);
	else if (in_scope(cpu) && has_starved(dsq_id(DSQ_LATENCY_LLC, llc), cpu, now_ns))
		cpu_state->starved_dsq = dsq_id(DSQ_LATENCY_LLC, llc);
	else if (has_starved(dsq_id(DSQ_NORMAL_CPU, cpu), cpu, now_ns))
		cpu_state->starved_dsq = dsq_id(DSQ_NORMAL_CPU, cpu);
	else if (has_starved(dsq_id(DSQ_NORMAL_LLC, llc), cpu, now_ns))
		cpu_state->starved_dsq = dsq_id(DSQ_NORMAL_LLC, llc);
	return cpu_state->starved_dsq != 0;
}

/* What the tick found; another CPU may have been faster. */
static bool take_starved(s32 cpu)
{
	struct cpu_state* cpu_state = state_of_cpu(cpu);
	u64 now_ns = scx_bpf_now();
	u64 dsq = cpu_state->starved_dsq;

	cpu_state->starved_dsq = 0;
	if (!visit_starved(dsq, 0, cpu, now_ns, true) && !visit_starved(dsq, DSQ_ITER_REV, cpu, now_ns, true))
		return false;
	if (dsq == dsq_id(DSQ_LATENCY_CPU, cpu))
		__sync_fetch_and_add(&cpu_state->nr_latency, -1);
	cpu_state->starved_look_ns = now_ns - STARVED_LOOK_NS; /* the next tick looks for the next one */
	COUNT(nr_starved);
	return true;
}
