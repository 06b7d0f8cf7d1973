// SPDX-License-Identifier: GPL-2.0-only
// Whether budgets can be kept, in the order of bpf/latency_feasible.bpf.h. Nothing but our tasks has the simulated
// CPUs.
#include <algorithm>

#include "sim/latency_shell.h"

namespace punctual::sim {

void LatencyShell::sample_class(const Task& task, u32 cpu, u64 now_ns)
{
	TaskState& state = state_of(task);
	u64 ran_ns = 0;

	if (cpu_states_[cpu].running.kind == RUNNING_BUDGETED && state.budget_ns) {
		ran_ns = feasible_sample(&window_of(task), now_ns, task.sum_exec_ns - state.exec_ns_sampled,
					 now_ns - state.runnable_ns, cpu);
		state.exec_ns_sampled = task.sum_exec_ns;
	}
	feasible_cpu_sample(&cpu_samples_[cpu], now_ns, ran_ns);
}

void LatencyShell::note_waiting(u32 queue, u64 now_ns)
{
	std::span<Task* const> tasks = kernel_.queued(queue);

	for (const Task* task : tasks.first(std::min(tasks.size(), kLookedAtMax)))
		if (is_deadline_key(task->key) && state_of(*task).budget_ns)
			feasible_waiting(&window_of(*task), now_ns, deadline_of_key(task->key), task->cpu);
}

void LatencyShell::judge_class(u32 index, u64 now_ns)
{
	feasible_window& window = windows_[index];
	feasible_facts facts = {};

	facts.now_ns = now_ns;
	facts.floor_percent = spec_.floor_percent;
	facts.budget_ns = classes_[index].budget_ns;
	if (feasible_is_open(&window, now_ns, facts.budget_ns))
		return;
	facts.switch_ns = spec_.reserve_ns + spec_.switch_ns;
	facts.budgeted_percent = feasible_cpu_percent(&cpu_samples_[window.cpu], now_ns);
	facts.floor_paid = now_ns - cpu_states_[window.cpu].granted_ns < now_ns - window.began_ns;
	feasible_note(&outcome_.classes[index].verdict, &window, &facts, feasible_judge(&window, &facts));
	window = feasible_window_at(now_ns);
}

void LatencyShell::windows_end()
{
	u64 now_ns = kernel_.clock_ns();

	if (!kernel_.is_attached())
		return;
	for (u32 cpu = 0; cpu < kernel_.nr_cpus(); cpu++)
		if (cpu_states_[cpu].nr_latency > 0)
			note_waiting(dsq_id(DsqKind::latency_cpu, cpu), now_ns);
	for (u32 llc = 0; llc < nr_llcs_; llc++)
		if (llc_states_[llc].latency_used)
			note_waiting(dsq_id(DsqKind::latency_llc, llc), now_ns);
	for (u32 index = 0; index < classes_.size(); index++)
		judge_class(index, now_ns);
}

}  // namespace punctual::sim
