// SPDX-License-Identifier: GPL-2.0-only
// What a CPU takes next, as bpf/latency_dispatch.bpf.h has it.
#include "sim/latency_shell.h"

#include <algorithm>
#include <ranges>

#include "policy/floor.h"
#include "policy/vtime.h"

namespace punctual::sim {

bool LatencyShell::shared_is_earlier(u32 cpu, u32 own, u32 shared) const
{
	if (kernel_.queued(shared).empty())
		return false;
	if (kernel_.queued(own).empty())
		return true;
	u64 key = first_key(shared, cpu);
	return key != kKeyNone && vtime_before(key, first_key(own, cpu));
}

bool LatencyShell::take_from_other_llcs(u32 cpu, bool goes_on)
{
	u32 home = kernel_.llc_of(cpu);
	u32 nr_looked_at = goes_on ? std::min(nr_llcs_, URGENT_LLCS_MAX) : nr_llcs_;

	for (u32 step = 1; step < nr_looked_at; step++) {
		u32 llc = llc_near(home, step);
		if (!goes_on && in_scope(cpu) && kernel_.move_to_local(cpu, dsq_id(DsqKind::latency_llc, llc)))
			return true;
		if (kernel_.move_to_local(cpu, dsq_id(DsqKind::normal_llc, llc)))
			return true;
	}
	return false;
}

bool LatencyShell::take_own_latency(u32 cpu)
{
	CpuState& cpu_state = cpu_states_[cpu];

	if (kernel_.move_to_local(cpu, dsq_id(DsqKind::latency_cpu, cpu))) {
		cpu_state.nr_latency--;
		return true;
	}
	cpu_state.nr_latency = 0;
	return false;
}

bool LatencyShell::take_latency(u32 cpu, u32 llc)
{
	u32 shared = dsq_id(DsqKind::latency_llc, llc);

	if (!llc_states_[llc].latency_used || !in_scope(cpu))
		return take_own_latency(cpu);
	if (shared_is_earlier(cpu, dsq_id(DsqKind::latency_cpu, cpu), shared) && kernel_.move_to_local(cpu, shared))
		return true;
	return take_own_latency(cpu) || kernel_.move_to_local(cpu, shared);
}

bool LatencyShell::take_out_of_scope(u32 cpu, u32 llc)
{
	return !in_scope(cpu) && llc_states_[llc].latency_used &&
	       kernel_.move_to_local(cpu, dsq_id(DsqKind::latency_llc, llc));
}

bool LatencyShell::is_before_queued(u64 vtime, u32 queue, u32 cpu) const
{
	if (kernel_.queued(queue).empty())
		return true;
	u64 key = first_key(queue, cpu);
	return key == kKeyNone || vtime_before(vtime, key);
}

bool LatencyShell::keep_running(u32 cpu, u32 llc, Task* prev)
{
	CpuState& cpu_state = cpu_states_[cpu];
	u64& clock = llc_states_[llc].vtime_clock;

	if (cpu_state.running.kind != RUNNING_NORMAL || !prev || !normal_waits(cpu))
		return false;
	TaskState& state = state_of(*prev);
	settle_account(*prev, state, llc);
	if (!is_before_queued(state.vtime, dsq_id(DsqKind::normal_cpu, cpu), cpu) ||
	    !is_before_queued(state.vtime, dsq_id(DsqKind::normal_llc, llc), cpu))
		return false;
	cpu_state.turn_began_exec_ns = prev->sum_exec_ns;
	if (vtime_before(clock, state.vtime))
		clock = state.vtime;
	prev->slice_ns = spec_.slice_ns;
	return true;
}

bool LatencyShell::take_normal(u32 cpu, u32 llc)
{
	u32 own = dsq_id(DsqKind::normal_cpu, cpu);
	u32 shared = dsq_id(DsqKind::normal_llc, llc);

	if (!llc_states_[llc].normal_used)
		return kernel_.move_to_local(cpu, own);
	if (shared_is_earlier(cpu, own, shared) && kernel_.move_to_local(cpu, shared))
		return true;
	return kernel_.move_to_local(cpu, own) || kernel_.move_to_local(cpu, shared);
}

bool LatencyShell::floor_waits(u32 cpu, u64 now_ns)
{
	CpuState& cpu_state = cpu_states_[cpu];
	latency_tunables tunables = tunables_of(cpu_state);
	running_facts normal = {};

	if (!latency_waits(cpu))
		return false;
	normal.kind = RUNNING_NORMAL;
	normal.kept_until_ns = floor_kept_until_ns(now_ns, cpu_state.owed_ns, &floor_knobs_);
	normal.turn_until_ns = floor_paid_until_ns(now_ns, cpu_state.owed_ns, cpu_state.is_paying, &floor_knobs_);
	u64 key = earliest_key(cpu);
	return key != kKeyNone && (floor_waits_for(key, cpu_state.owed_ns, &floor_knobs_) ||
				   may_run_until_ns(now_ns, key, &normal, &tunables) <= now_ns);
}

bool LatencyShell::take_floor(u32 cpu, u32 llc)
{
	CpuState& cpu_state = cpu_states_[cpu];

	if (cpu_state.running.kind != RUNNING_BUDGETED && !cpu_state.is_paying)
		return false;
	u64 now_ns = kernel_.clock_ns();
	if (!pay_floor_if_due(cpu_state, now_ns) || floor_waits(cpu, now_ns))
		return false;
	serves_floor_ = true;
	bool took = take_normal(cpu, llc);
	serves_floor_ = false;
	if (!took) {
		cpu_state.is_paying = false;
		cpu_state.owed_ns = 0;
	}
	return took;
}

u64 LatencyShell::gathering_key(u32 cpu)
{
	const CpuState& cpu_state = cpu_states_[cpu];
	u64 now_ns = kernel_.clock_ns();

	if (cpu_state.running.kind != RUNNING_BUDGETED || !latency_waits(cpu) || !normal_waits(cpu))
		return kKeyNone;
	latency_tunables tunables = tunables_of(cpu_state);
	u64 from_ns = later(now_ns, floor_kept_until_ns(now_ns, cpu_state.owed_ns, &floor_knobs_));
	u64 key = earliest_key(cpu);
	return key != kKeyNone && may_gather(from_ns, key, several_wait(cpu), &tunables) ? key : kKeyNone;
}

// The queues of deadlines end with those that had their bursts.
LatencyShell::Renewed LatencyShell::take_renewed(u32 cpu, u32 queue, u64 claim_key)
{
	std::span<Task* const> tasks = kernel_.queued(queue);
	Task* first = nullptr;

	for (Task* task : std::views::reverse(tasks.last(std::min(tasks.size(), kLookedAtMax)))) {
		if (!is_renewed_key(task->key))
			break;
		if (task->cpus.has(cpu))
			first = task;
	}
	if (!first)
		return Renewed::none;
	if (!may_go_on(kernel_.clock_ns(), first->sum_exec_ns - state_of(*first).began_exec_ns, claim_key))
		return Renewed::waits;
	kernel_.move_to_cpu(*first, cpu, 0);
	return Renewed::taken;
}

bool LatencyShell::take_while_gathering(u32 cpu, u32 llc)
{
	CpuState& cpu_state = cpu_states_[cpu];

	const u64 key = gathering_key(cpu);
	if (key == kKeyNone)
		return false;
	if (cpu_state.is_paying) {
		serves_floor_ = true;
		const bool took = take_normal(cpu, llc);
		serves_floor_ = false;
		return took;
	}
	Renewed found = take_renewed(cpu, dsq_id(DsqKind::latency_cpu, cpu), key);
	if (found == Renewed::taken)
		cpu_state.nr_latency--;
	if (found == Renewed::none)
		found = take_renewed(cpu, dsq_id(DsqKind::latency_llc, llc), key);
	return found == Renewed::none ? take_normal(cpu, llc) : found == Renewed::taken;
}

void LatencyShell::dispatch(u32 cpu, Task* prev)
{
	u32 llc = kernel_.llc_of(cpu);

	if (cpu_states_[cpu].running.kind == RUNNING_NOTHING)
		llc_states_[llc].looking_cpu = cpu + 1;
	if (cpu_states_[cpu].starved_queue != kNoQueue && take_starved(cpu))
		return;
	if (!take_floor(cpu, llc) && !take_while_gathering(cpu, llc) && !take_latency(cpu, llc) &&
	    !keep_running(cpu, llc, prev) && !take_normal(cpu, llc) && !take_out_of_scope(cpu, llc) && nr_llcs_ > 1)
		take_from_other_llcs(cpu, kernel_.has_running(cpu));
}

}  // namespace punctual::sim
