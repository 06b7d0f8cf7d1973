// SPDX-License-Identifier: GPL-2.0-only
// The weights of groups, in the order of bpf/latency_weight.bpf.h.
#include "policy/vtime.h"
#include "sim/latency_shell.h"

namespace punctual::sim {

void LatencyShell::init_groups()
{
	groups_.assign(group_specs_.size() + 1, GroupState());
	for (u32 i = 0; i < groups_.size(); i++) {
		groups_[i].busy_until_ns = kernel_.clock_ns();
		if (i < group_specs_.size()) {
			groups_[i].weight = group_specs_[i].weight;
			groups_[i].parent = group_specs_[i].parent;
		}
	}
}

void LatencyShell::cgroup_set_weight(u32 group, u32 weight)
{
	group_specs_[group].weight = weight;  // also for the next load
	group_at(group).weight = weight;
}

LatencyShell::GroupState& LatencyShell::group_at(u32 group)
{
	return group == kRootGroup ? groups_.back() : groups_[group];
}

u64 LatencyShell::report_active(GroupState& group, u64 now_ns, u32 weight, u64 active_ns, u64 plain) const
{
	u64 epoch = now_ns / spec_.weight_epoch_ns;
	active_sums& sums = group.sums[epoch & 1];
	busy_time busy = busy_after(group.busy_until_ns, now_ns, active_ns, spec_.weight_epoch_ns);

	group.busy_until_ns = busy.until_ns;
	if (sums.epoch != epoch)
		sums = {epoch, 0, 0, 0};
	sums.weighed += weight * active_units(active_ns);
	sums.plain += plain;
	sums.busy += active_units(busy.added_ns);
	return busy.added_ns;
}

u32 LatencyShell::weigh_in_cgroup(const Task& task, u64 now_ns, u64 active_ns)
{
	u32 task_weight = task.spec->weight;
	u64 plain = task_weight * active_units(active_ns);
	u64 share = static_cast<u64>(task_weight) << SHARE_SHIFT;
	u32 weight = task_weight;

	for (u32 level = task.group;;) {
		GroupState& group = group_at(level);
		active_ns = report_active(group, now_ns, weight, active_ns, level == kRootGroup ? plain : 0);
		active_sums sums = recent_sums(&group.sums[0], &group.sums[1], now_ns / spec_.weight_epoch_ns);
		if (level == kRootGroup)
			return effective_weight(share, weight, task_weight, &sums);
		share = share_in_parent(share, weight, group.weight, &sums);
		weight = group.weight;
		level = group.parent;
	}
}

void LatencyShell::refresh_weight(const Task& task, TaskState& state, u64 now_ns, bool is_normal)
{
	if (group_specs_.empty()) {
		state.weight = task.spec->weight << WEIGHT_SHIFT;
		return;
	}
	if (!report_is_due(now_ns, state.reported_ns, spec_.weight_epoch_ns))
		return;
	u64 active_ns = task.sum_exec_ns + task.waited_ns;
	is_normal = is_normal && state.reported_ns;
	state.weight = weigh_in_cgroup(
	    task, now_ns,
	    is_normal ? active_to_report(active_ns - state.reported_active_ns, spec_.weight_epoch_ns) : 0);
	state.reported_ns = now_ns;
	state.reported_active_ns = active_ns;
}

u64 LatencyShell::settle_account(const Task& task, TaskState& state, u32 llc)
{
	vtime_limits limits = {spec_.credit_ns, spec_.debt_ns};
	u64 exec_ns = task.sum_exec_ns;
	u64 ran_ns = exec_ns - state.exec_ns_charged;
	u64 clock = llc_states_[llc].vtime_clock;

	state.vtime += vtime_charge(ran_ns << WEIGHT_SHIFT, state.weight);
	state.exec_ns_charged = exec_ns;
	if (state.llc != llc) {
		state.vtime += clock - llc_states_[state.llc].vtime_clock;
		state.llc = llc;
	}
	state.vtime = vtime_on_join(state.vtime, clock, &limits);
	return ran_ns;
}

}  // namespace punctual::sim
