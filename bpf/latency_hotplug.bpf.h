/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A CPU that goes offline. The kernel ends the scheduler then, and the loader brings it back; but first it takes the
 * CPU out of cpu_active_mask, asks ops.dispatch of it no more, and waits for all RCU readers. One of those that was
 * preempted and may only run there waits in our queue: both would wait for ever (seen on 6.18, until the kernel's RCU
 * stall detector ended the scheduler after 21 s). So what waits for such a CPU is put on its own queue, which the
 * kernel empties by itself. Part of scx_latency.bpf.c, which explains the whole.
 */
#pragma once

#include "bpf/latency_state.bpf.h"

constexpr int HANDED_BACK_MAX = 256; /* of a queue at a time; the next time comes */

/*
 * By the CPU's step on its way up or down, which is behind CPUHP_AP_ACTIVE before the kernel takes it out of the mask.
 * (The mask itself has no type in BTF: libbpf would read all of /proc/kallsyms for its address, a quarter of the time
 * that loading took.)
 */
extern const struct cpuhp_cpu_state cpuhp_state __ksym __weak;

static inline bool is_active(u32 cpu)
{
	const struct cpuhp_cpu_state* hotplug = &cpuhp_state ? bpf_per_cpu_ptr(&cpuhp_state, cpu) : NULL;

	return !hotplug || hotplug->state >= bpf_core_enum_value(enum cpuhp_state, CPUHP_AP_ACTIVE);
}

static __noinline void hand_back_queued(u64 dsq, s32 cpu)
{
	struct bpf_iter_scx_dsq it;
	struct task_struct* p;
	int i;

	if (!scx_bpf_dsq_nr_queued(dsq))
		return;
	bpf_rcu_read_lock();
	if (!bpf_iter_scx_dsq_new(&it, dsq, 0)) {
		bpf_for(i, 0, HANDED_BACK_MAX)
		{
			p = bpf_iter_scx_dsq_next(&it);
			if (!p)
				break;
			if (scx_bpf_task_cpu(p) == cpu)
				scx_bpf_dsq_move(&it, p, DSQ_LOCAL_ON | cpu, 0);
		}
	}
	bpf_iter_scx_dsq_destroy(&it);
	bpf_rcu_read_unlock();
	scx_bpf_kick_cpu(cpu, 0);
}

/* From a timer: no callback of that CPU's comes any more. */
static inline void hand_back(s32 cpu)
{
	u32 llc = llc_of(cpu);

	hand_back_queued(dsq_id(DSQ_LATENCY_CPU, cpu), cpu);
	hand_back_queued(dsq_id(DSQ_NORMAL_CPU, cpu), cpu);
	hand_back_queued(dsq_id(DSQ_LATENCY_LLC, llc), cpu);
	hand_back_queued(dsq_id(DSQ_NORMAL_LLC, llc), cpu);
	state_of_cpu(cpu)->nr_latency = 0;
}
