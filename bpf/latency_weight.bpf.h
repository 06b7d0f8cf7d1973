/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpu.weight: what a normal task weighs as a member of its cgroup, and of all cgroups above. Part of
 * scx_latency.bpf.c, which explains the whole; policy/weight.h has the reasons.
 *
 * Unlike budgets this goes by scx_bpf_task_cgroup(), the nearest cgroup with the cpu controller: there is no
 * cpu.weight where it is off. A task that moves is weighed in its new cgroup at its next report, so there is no
 * ops.cgroup_move.
 */
#pragma once

#include "bpf/latency_record.bpf.h"
#include "bpf/latency_state.bpf.h"
#include "policy/vtime.h"
#include "policy/weight.h"

struct group_state {
	struct active_sums sums[2]; /* of even and of odd epochs */
	u64 busy_until_ns;
	u32 weight;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct group_state);
} group_states SEC(".maps");

static u64 nr_groups; /* below the root; 0: all tasks are in the root, and weigh what they weigh */

/*
 * A member of the group was active. Returns how much of that time is new to the group. Sums are exact, but when two
 * CPUs begin an epoch at once, what is reported in between may be lost.
 */
static inline u64 report_active(struct group_state* group, u64 now_ns, u32 weight, u64 active_ns, u64 plain)
{
	u64 epoch = now_ns / weight_epoch_ns;
	struct active_sums* sums = &group->sums[epoch & 1];
	u64 until_ns = group->busy_until_ns;
	u64 epoch_was = sums->epoch;
	struct busy_time busy = busy_after(until_ns, now_ns, active_ns, weight_epoch_ns);

	if (__sync_val_compare_and_swap(&group->busy_until_ns, until_ns, busy.until_ns) != until_ns)
		busy.added_ns = 0; /* another CPU has just reported that time */
	if (epoch_was != epoch && __sync_val_compare_and_swap(&sums->epoch, epoch_was, epoch) == epoch_was) {
		sums->weighed = 0;
		sums->plain = 0;
		sums->busy = 0;
	}
	__sync_fetch_and_add(&sums->weighed, weight * active_units(active_ns));
	__sync_fetch_and_add(&sums->busy, active_units(busy.added_ns));
	if (plain)
		__sync_fetch_and_add(&sums->plain, plain);
	return busy.added_ns;
}

/* Reports what the task was active, up to the root, and finds its effective weight on the way. */
static u32 weigh_in_cgroup(struct task_struct* p, struct cgroup* cgroup, u64 now_ns, u64 active_ns)
{
	u32 task_weight = p->scx.weight;
	u64 plain = task_weight * active_units(active_ns);
	u64 share = (u64)task_weight << SHARE_SHIFT;
	u32 weight = task_weight; /* of the member: the task, then its cgroup, then the one above */
	s32 level = cgroup->level;
	int i;

	bpf_for(i, 0, CGROUP_DEPTH_MAX)
	{
		struct cgroup* ancestor = bpf_cgroup_ancestor(cgroup, level);
		struct group_state* group;
		struct active_sums sums;

		if (!ancestor)
			break;
		group = bpf_cgrp_storage_get(&group_states, ancestor, NULL, 0);
		bpf_cgroup_release(ancestor);
		if (!group)
			break;
		active_ns = report_active(group, now_ns, weight, active_ns, level ? 0 : plain);
		sums = recent_sums(&group->sums[0], &group->sums[1], now_ns / weight_epoch_ns);
		if (!level)
			return effective_weight(share, weight, task_weight, &sums);
		share = share_in_parent(share, weight, group->weight, &sums);
		weight = group->weight;
		level--;
	}
	return task_weight << WEIGHT_SHIFT; /* deeper than we look, or just being removed */
}

/* For how long the task has wanted a CPU: ran and waited. Only what the kernel counts anyway. */
static inline u64 task_active_ns(struct task_struct* p)
{
	if (bpf_core_field_exists(p->sched_info.run_delay))
		return p->se.sum_exec_runtime + p->sched_info.run_delay;
	return p->se.sum_exec_runtime; /* without CONFIG_SCHED_INFO waiting does not count */
}

/* is_normal: it was served as a normal task before this, too; else the time until now is not to be reported. */
static void refresh_weight(struct task_struct* p, struct task_state* state, u64 now_ns, bool is_normal)
{
	struct cgroup* cgroup;
	u64 active_ns;

	if (!nr_groups || !bpf_ksym_exists(scx_bpf_task_cgroup)) {
		state->weight = p->scx.weight << WEIGHT_SHIFT;
		return;
	}
	if (!report_is_due(now_ns, state->reported_ns, weight_epoch_ns))
		return;
	active_ns = task_active_ns(p);
	is_normal = is_normal && state->reported_ns;
	cgroup = scx_bpf_task_cgroup(p);
	state->weight =
	    weigh_in_cgroup(p, cgroup, now_ns,
			    is_normal ? active_to_report(active_ns - state->reported_active_ns, weight_epoch_ns) : 0);
	bpf_cgroup_release(cgroup);
	state->reported_ns = now_ns;
	state->reported_active_ns = active_ns;
}

/* At the tick: a task that has its CPU for itself is never queued. */
static inline void report_running(struct task_struct* p, u64 now_ns)
{
	struct task_state* state = bpf_task_storage_get(&task_states, p, NULL, 0);

	if (state)
		refresh_weight(p, state, now_ns, true);
}

/* Charges what ran since the last time, and brings vtime to the clock of the cache it waits in. Returns what ran. */
static __always_inline u64 settle_account(struct task_struct* p, struct task_state* state, u32 llc)
{
	struct vtime_limits limits = {credit_ns, debt_ns};
	u64 exec_ns = p->se.sum_exec_runtime;
	u64 ran_ns = exec_ns - state->exec_ns_charged;
	u64 clock = state_of_llc(llc)->vtime_clock;

	state->vtime += vtime_charge(ran_ns << WEIGHT_SHIFT, state->weight);
	state->exec_ns_charged = exec_ns;
	if (state->llc != llc) {
		state->vtime += clock - state_of_llc(state->llc)->vtime_clock;
		state->llc = llc;
	}
	state->vtime = decide_vtime_on_join(state->vtime, clock, &limits);
	return ran_ns;
}

SEC("struct_ops.s/latency_cgroup_init")
s32 BPF_PROG(latency_cgroup_init, struct cgroup* cgroup, struct scx_cgroup_init_args* args)
{
	struct group_state* group = bpf_cgrp_storage_get(&group_states, cgroup, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (cgroup->level)
		__sync_fetch_and_add(&nr_groups, 1);
	if (!group) /* the kernel gives none to a cgroup that is being removed; a scheduler that is loaded then meets
		       such */
		return 0;
	group->weight = args->weight;
	group->busy_until_ns = scx_bpf_now();
	return 0;
}

SEC("struct_ops/latency_cgroup_exit")
void BPF_PROG(latency_cgroup_exit, struct cgroup* cgroup)
{
	if (cgroup->level)
		__sync_fetch_and_add(&nr_groups, -1);
}

SEC("struct_ops/latency_cgroup_set_weight")
void BPF_PROG(latency_cgroup_set_weight, struct cgroup* cgroup, u32 weight)
{
	struct group_state* group = bpf_cgrp_storage_get(&group_states, cgroup, NULL, 0);

	if (group)
		group->weight = weight;
}
