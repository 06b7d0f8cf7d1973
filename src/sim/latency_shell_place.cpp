// SPDX-License-Identifier: GPL-2.0-only
// Over caches and nodes, in the order of bpf/latency_place.bpf.h.
#include <algorithm>

#include "sim/latency_shell.h"

namespace punctual::sim {

// What src/object/topology.cpp tells the BPF scheduler; here CPUs are numbered in that order.
void LatencyShell::lay_out_machine()
{
	u32 nr_cpus = kernel_.nr_cpus();
	auto node_of = [&](u32 llc) { return kernel_.node_of(llc_places_[llc].first_cpu); };

	next_in_llc_.resize(nr_cpus);
	llc_places_.resize(nr_llcs_);
	for (u32 cpu = nr_cpus; cpu-- > 0;)
		llc_places_[kernel_.llc_of(cpu)].first_cpu = static_cast<u16>(cpu);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		bool is_last = cpu + 1 == nr_cpus || kernel_.llc_of(cpu + 1) != kernel_.llc_of(cpu);
		next_in_llc_[cpu] = is_last ? llc_places_[kernel_.llc_of(cpu)].first_cpu : cpu + 1;
	}
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		llc_places_[kernel_.llc_of(cpu)].nr_cpus_in_scope += in_scope(cpu);
	for (u32 llc = 0; llc < nr_llcs_; llc++) {
		llc_place& place = llc_places_[llc];
		u32 distance = 3;
		for (u32 other = nr_llcs_; other-- > 0;)
			if (node_of(other) == node_of(llc)) {
				place.first_llc_of_node = static_cast<u16>(other);
				place.nr_llcs_of_node++;
			}
		place.scope_cpu = place.first_cpu;
		for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
			u32 there = kernel_.llc_of(cpu) == llc ? 0 : kernel_.node_of(cpu) == node_of(llc) ? 1 : 2;
			if (there < distance && in_scope(cpu)) {
				place.scope_cpu = static_cast<u16>(cpu);
				distance = there;
			}
		}
	}
}

candidate LatencyShell::rank_of(u32 cpu, u64 now_ns, u64 key) const
{
	return rank_candidate(&cpu_states_[cpu].running, in_scope(cpu), now_ns, key);
}

bool LatencyShell::wants_other_cpu(const Task& task, u32 cpu)
{
	if (is_best_candidate(&cpu_states_[cpu].running, in_scope(cpu)))
		return false;
	if (in_scope(cpu))
		return is_deadline_key(task.key);
	TaskState& state = state_of(task);
	refresh_budget(task, state);
	return state.budget_ns != 0;
}

u32 LatencyShell::find_cpu_near(const Task& task, u32 prev_cpu)
{
	u32 first = in_scope(prev_cpu) ? prev_cpu : llc_places_[kernel_.llc_of(prev_cpu)].scope_cpu;
	u64 now_ns = kernel_.clock_ns();
	u64 claim = deadline_key(now_ns);
	candidate best_rank = rank_of(prev_cpu, now_ns, claim);
	u32 best = prev_cpu;
	u32 cpu = first;
	u32 nr_looked_at = 0;

	while (nr_looked_at < WAKEUP_CPUS_MAX) {
		candidate rank = rank_of(cpu, now_ns, claim);
		nr_looked_at++;
		if (rank > best_rank && task.cpus.has(cpu)) {
			best = cpu;
			best_rank = rank;
		}
		cpu = next_in_llc_[cpu];
		if (best_rank == CANDIDATE_PREEMPTIBLE || cpu == first)
			break;
	}
	outcome_.nr_wakeup_looks_max = std::max(outcome_.nr_wakeup_looks_max, nr_looked_at);
	return best;
}

u32 LatencyShell::find_urgent_cpu(const Task& task, u32 home_cpu, u64 now_ns, u32* left) const
{
	u32 home = kernel_.llc_of(home_cpu);
	u32 first = home_cpu;
	u32 cpu = home_cpu;
	bool is_usable = true;
	u32 step = 0;

	while (*left) {
		--*left;
		if (is_usable && rank_of(cpu, now_ns, task.key) == CANDIDATE_PREEMPTIBLE && task.cpus.has(cpu))
			return cpu;
		cpu = next_in_llc_[cpu];
		if (is_usable && cpu != first)
			continue;
		step++;
		if (step >= nr_llcs_ || step >= URGENT_LLCS_MAX)
			break;
		u32 llc = llc_near(home, step);
		is_usable = !nr_queued(DsqKind::latency_llc, llc);
		first = llc_places_[llc].first_cpu;
		cpu = first;
	}
	return CpuSet::kNone;
}

bool LatencyShell::move_to_cpu(Task& task, u32 cpu)
{
	running_facts& running = cpu_states_[cpu].running;

	if (task.unmovable || running.kind != RUNNING_NORMAL)
		return false;
	running.kind = RUNNING_ARRIVING;
	kernel_.move_to_cpu(task, cpu, kEnqueuePreempt);
	return true;
}

bool LatencyShell::preempt_elsewhere(u32 cpu, u64 now_ns, u32 nr_cpus_max, const latency_tunables& tunables)
{
	u32 llc = kernel_.llc_of(cpu);
	std::span<Task* const> tasks = kernel_.queued(dsq_id(DsqKind::latency_llc, llc));
	u64 latest_ns = due_ns(now_ns, false, &tunables);
	u32 left = nr_cpus_max;
	bool done = false;

	for (Task* task : tasks.first(std::min(tasks.size(), kLookedAtMax))) {
		if (deadline_of_key(task->key) > latest_ns)
			break;
		u32 other = find_urgent_cpu(*task, cpu, now_ns, &left);
		if (other == CpuSet::kNone)
			continue;
		if (kernel_.llc_of(other) == llc) {
			kernel_.kick(other, kKickPreempt);
			done = true;
			break;
		}
		if (move_to_cpu(*task, other)) {
			outcome_.nr_remote++;
			done = true;
			break;
		}
	}
	outcome_.nr_urgent_looks_max = std::max(outcome_.nr_urgent_looks_max, URGENT_CPUS_MAX - left);
	return done;
}

}  // namespace punctual::sim
