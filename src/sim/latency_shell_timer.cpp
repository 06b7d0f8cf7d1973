// SPDX-License-Identifier: GPL-2.0-only
// The timers and the floor, in the order of bpf/latency_timer.bpf.h.
#include <algorithm>

#include "policy/vtime.h"
#include "sim/latency_shell.h"

namespace punctual::sim {

void LatencyShell::arm_timer(u32 cpu, u64 now_ns, u64 at_ns)
{
	CpuState& cpu_state = cpu_states_[cpu];

	if (cpu_state.timer_at_ns && cpu_state.timer_at_ns <= at_ns)
		return;
	cpu_state.timer_at_ns = at_ns;
	kernel_.start_timer(cpu, at_ns - now_ns);
}

u64 LatencyShell::first_key(u32 queue, u32 cpu) const
{
	std::span<Task* const> tasks = kernel_.queued(queue);

	for (const Task* task : tasks.first(std::min(tasks.size(), kLookedAtMax)))
		if (task->cpus.has(cpu))
			return task->key;
	return kKeyNone;
}

u64 LatencyShell::preempt_by_first(u32 queue, u32 cpu, u64 latest_ns)
{
	std::span<Task* const> tasks = kernel_.queued(queue);

	for (Task* task : tasks.first(std::min(tasks.size(), kLookedAtMax))) {
		if (!task->cpus.has(cpu))
			continue;
		u64 key = task->key;
		if (deadline_of_key(key) > latest_ns)
			return key;
		cpu_states_[cpu].running.kind = RUNNING_ARRIVING;
		kernel_.move_to_cpu(*task, cpu, kEnqueuePreempt);
		return key;
	}
	return kKeyNone;
}

bool LatencyShell::latency_waits(u32 cpu) const
{
	u32 llc = kernel_.llc_of(cpu);

	return cpu_states_[cpu].nr_latency > 0 ||
	       (llc_states_[llc].latency_used && nr_queued(DsqKind::latency_llc, llc) > 0);
}

bool LatencyShell::several_wait(u32 cpu) const
{
	u32 llc = kernel_.llc_of(cpu);
	bool is_alone = cpu_states_[cpu].running.nr_other_cpus == 0;
	size_t nr_shared = is_alone && llc_states_[llc].latency_used ? nr_queued(DsqKind::latency_llc, llc) : 0;

	return cpu_states_[cpu].nr_latency + static_cast<s64>(nr_shared) > 1;
}

bool LatencyShell::latency_is_queued(u32 cpu) const
{
	return nr_queued(DsqKind::latency_cpu, cpu) > 0 || nr_queued(DsqKind::latency_llc, kernel_.llc_of(cpu)) > 0;
}

u64 LatencyShell::earliest_key(u32 cpu) const
{
	u64 own = first_key(dsq_id(DsqKind::latency_cpu, cpu), cpu);
	u64 shared = first_key(dsq_id(DsqKind::latency_llc, kernel_.llc_of(cpu)), cpu);

	return own < shared ? own : shared;
}

latency_tunables LatencyShell::tunables_of(const CpuState& cpu_state)
{
	return {cpu_state.reserve_ns + spec_.switch_ns,
		spec_.burst_ns,
		spec_.slice_ns,
		spec_.slack_min_ns,
		spec_.kthread_budget_ns,
		spec_.hysteresis_ns};
}

bool LatencyShell::cpu_may_be_preempted(u32 cpu, u64 now_ns, const latency_tunables& tunables) const
{
	const CpuState& cpu_state = cpu_states_[cpu];
	u64 key = key_counts(&cpu_state.running, now_ns) ? earliest_key(cpu) : 0;

	return may_preempt(&cpu_state.running, now_ns, key, &tunables);
}

u64 LatencyShell::safe_for_both(u32 cpu, u64 now_ns, u64 key) const
{
	const CpuState& cpu_state = cpu_states_[cpu];
	bool is_kept = cpu_state.running.kind == RUNNING_NORMAL;
	u64 other_key = earliest_key(cpu);

	if (other_key == kKeyNone)
		return kKeyNone;
	return safe_for_both_ns(now_ns, key, other_key, cpu_state.reserve_ns + spec_.switch_ns, spec_.burst_ns,
				is_kept ? cpu_state.running.kept_until_ns : 0);
}

void LatencyShell::settle_floor(CpuState& cpu_state, u64 now_ns)
{
	u64 ran_ns = elapsed_ns(cpu_state.settled_ns, now_ns);

	if (cpu_state.running.kind >= RUNNING_BUDGETED)
		cpu_state.owed_ns = floor_after_budgeted(cpu_state.owed_ns, ran_ns, &floor_knobs_);
	else if (cpu_state.running.kind == RUNNING_NORMAL)
		cpu_state.owed_ns = floor_after_normal(cpu_state.owed_ns, ran_ns);
	cpu_state.is_paying &= cpu_state.owed_ns > 0;
	cpu_state.settled_ns += ran_ns;
}

bool LatencyShell::normal_waits(u32 cpu) const
{
	return nr_queued(DsqKind::normal_cpu, cpu) > 0 || nr_queued(DsqKind::normal_llc, kernel_.llc_of(cpu)) > 0;
}

bool LatencyShell::floor_is_wanted(u32 cpu) const
{
	return normal_waits(cpu) || kernel_.nr_local(cpu) > 0;
}

bool LatencyShell::pay_floor_if_due(CpuState& cpu_state, u64 now_ns)
{
	settle_floor(cpu_state, now_ns);
	cpu_state.is_paying = floor_is_due(cpu_state.owed_ns, cpu_state.is_paying, &floor_knobs_);
	return cpu_state.is_paying;
}

bool LatencyShell::floor_wants_cpu(u32 cpu, u64 now_ns) const
{
	const CpuState& cpu_state = cpu_states_[cpu];

	if (cpu_state.running.kind != RUNNING_BUDGETED)
		return false;
	u64 owed_ns = floor_after_budgeted(cpu_state.owed_ns, elapsed_ns(cpu_state.settled_ns, now_ns), &floor_knobs_);
	return floor_is_due(owed_ns, cpu_state.is_paying, &floor_knobs_) && floor_is_wanted(cpu);
}

void LatencyShell::watch_claims(u32 cpu, u64 now_ns)
{
	CpuState& cpu_state = cpu_states_[cpu];
	latency_tunables tunables = tunables_of(cpu_state);
	u64 key = earliest_key(cpu);

	if (key == kKeyNone)
		return;
	const u64 look_ns = look_at_start_ns(now_ns, key, &cpu_state.running, &tunables);
	if (look_ns > now_ns)
		arm_timer(cpu, now_ns, look_ns);
	else
		kernel_.kick(cpu, kKickPreempt);
}

void LatencyShell::watch_waiting(u32 cpu, u64 now_ns)
{
	CpuState& cpu_state = cpu_states_[cpu];

	if (!latency_waits(cpu))
		return;
	u64 key = earliest_key(cpu);
	if (key == kKeyNone)
		return;
	latency_tunables tunables = tunables_of(cpu_state);
	u64 until_ns = may_run_until_ns(now_ns, key, &cpu_state.running, &tunables);
	if (until_ns > now_ns)
		arm_timer(cpu, now_ns, until_ns);
	else
		kernel_.kick(cpu, kKickPreempt);
}

std::optional<u32> LatencyShell::next_latency_queue(u32 cpu) const
{
	u32 llc = kernel_.llc_of(cpu);
	u32 own = dsq_id(DsqKind::latency_cpu, cpu);

	if (kernel_.nr_local(cpu))
		return std::nullopt;
	if (!in_scope(cpu) || !llc_states_[llc].latency_used || nr_queued(DsqKind::latency_llc, llc) == 0)
		return own;
	if (nr_queued(DsqKind::latency_cpu, cpu) > 0)
		return std::nullopt;
	return dsq_id(DsqKind::latency_llc, llc);
}

bool LatencyShell::take_cpu(u32 cpu, u64 now_ns, const latency_tunables& tunables)
{
	CpuState& cpu_state = cpu_states_[cpu];
	u64 latest_ns = due_ns(now_ns, several_wait(cpu), &tunables);
	std::optional<u32> queue = next_latency_queue(cpu);

	settle_floor(cpu_state, now_ns);
	u64 key = queue ? preempt_by_first(*queue, cpu, latest_ns) : earliest_key(cpu);

	if (key != kKeyNone && deadline_of_key(key) > latest_ns) {
		arm_timer(cpu, now_ns, look_again_ns(now_ns, key, &cpu_state.running, &tunables));
		return false;
	}
	if (queue && key != kKeyNone)
		cpu_state.nr_latency -= *queue == dsq_id(DsqKind::latency_cpu, cpu);
	else
		kernel_.kick(cpu, kKickPreempt);
	return true;
}

void LatencyShell::timer_fired(u32 cpu)
{
	CpuState& cpu_state = cpu_states_[cpu];
	latency_tunables tunables = tunables_of(cpu_state);
	u64 now_ns = kernel_.clock_ns();
	u64 due_ns = cpu_state.timer_at_ns;

	cpu_state.timer_at_ns = 0;
	if (floor_wants_cpu(cpu, now_ns)) {
		kernel_.kick(cpu, kKickPreempt);
		return;
	}
	if (!latency_waits(cpu))
		return;
	const bool is_preemptible = cpu_may_be_preempted(cpu, now_ns, tunables);
	const u32 nr_cpus_max = nr_urgent_cpus(&cpu_state.running, is_preemptible);
	if (nr_cpus_max && preempt_elsewhere(cpu, now_ns, nr_cpus_max, tunables)) {
		outcome_.nr_timer_preempted++;
	} else if (is_preemptible) {
		if (take_cpu(cpu, now_ns, tunables)) {
			outcome_.nr_timer_preempted++;
			cpu_state.timer_due_ns = due_ns;
		}
		return;
	}
	arm_timer(cpu, now_ns, retry_look_ns(now_ns, &cpu_state.running, spec_.retry_ns, &tunables));
}

}  // namespace punctual::sim
