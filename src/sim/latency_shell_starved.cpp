// SPDX-License-Identifier: GPL-2.0-only
// The net for those who wait for more than a second, in the order of bpf/latency_starved.bpf.h.
#include <algorithm>

#include "policy/starvation.h"
#include "sim/latency_shell.h"

namespace punctual::sim {

Task* LatencyShell::find_starved(u32 queue, u32 cpu, u64 now_ns)
{
	std::span<Task* const> tasks = kernel_.queued(queue);
	size_t looked_at = std::min<size_t>(tasks.size(), STARVED_LOOKED_AT_MAX);
	auto starves = [&](const Task* task) {
		return is_starved(now_ns, state_of(*task).queued_ns) && task->may_run_on(cpu);
	};
	auto first = std::ranges::find_if(tasks.first(looked_at), starves);
	if (first != tasks.first(looked_at).end())
		return *first;
	for (size_t i = 0; i < looked_at; i++)
		if (starves(tasks[tasks.size() - 1 - i]))
			return tasks[tasks.size() - 1 - i];
	return nullptr;
}

bool LatencyShell::look_for_starved(u32 cpu, u64 now_ns)
{
	CpuState& cpu_state = cpu_states_[cpu];
	u32 llc = kernel_.llc_of(cpu);

	if (!starved_look_is_due(now_ns, cpu_state.starved_look_ns))
		return false;
	cpu_state.starved_look_ns = now_ns;
	for (u32 queue : {dsq_id(DsqKind::latency_cpu, cpu), dsq_id(DsqKind::latency_llc, llc),
			  dsq_id(DsqKind::normal_cpu, cpu), dsq_id(DsqKind::normal_llc, llc)}) {
		if (queue == dsq_id(DsqKind::latency_llc, llc) && !in_scope(cpu))
			continue;
		if (!find_starved(queue, cpu, now_ns))
			continue;
		cpu_state.starved_queue = queue;
		break;
	}
	return cpu_state.starved_queue != kNoQueue;
}

bool LatencyShell::take_starved(u32 cpu)
{
	CpuState& cpu_state = cpu_states_[cpu];
	u32 queue = cpu_state.starved_queue;
	Task* task = find_starved(queue, cpu, kernel_.clock_ns());

	cpu_state.starved_queue = kNoQueue;
	if (!task)
		return false;
	serves_floor_ = true;  // as with the floor, the order of deadlines does not count
	kernel_.move_to_cpu(*task, cpu, 0);
	serves_floor_ = false;
	if (queue == dsq_id(DsqKind::latency_cpu, cpu))
		cpu_state.nr_latency--;
	cpu_state.starved_look_ns = kernel_.clock_ns() - STARVED_LOOK_NS;
	outcome_.nr_starved++;
	return true;
}

}  // namespace punctual::sim
