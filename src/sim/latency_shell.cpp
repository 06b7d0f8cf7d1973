// SPDX-License-Identifier: GPL-2.0-only
// The callbacks, in the order of bpf/scx_latency.bpf.c.
#include "sim/latency_shell.h"

#include <algorithm>

#include "policy/reserve.h"
#include "policy/vtime.h"

namespace punctual::sim {

LatencyShell::LatencyShell(const Scenario& scenario, Kernel& kernel, Outcome& outcome)
    : spec_(scenario.latency),
      nr_llcs_(kernel.llc_of(kernel.nr_cpus() - 1) + 1),
      kernel_(kernel),
      outcome_(outcome),
      classes_(scenario.classes),
      group_specs_(scenario.groups),
      floor_knobs_(floor_tunables_of(spec_.floor_percent, spec_.floor_window_ns, spec_.grain_ns))
{
	for (u32 cpu : spec_.cpus_outside)
		outside_.add(cpu);
	lay_out_machine();
}

void LatencyShell::set_budget(u32 class_index, u64 budget_ns)
{
	classes_[class_index].budget_ns = budget_ns;
	budget_generation_++;
}

LatencyShell::TaskState& LatencyShell::state_of(const Task& task)
{
	return states_[task.index];
}

void LatencyShell::init()
{
	cpu_states_.assign(kernel_.nr_cpus(), CpuState());
	for (u32 cpu = 0; cpu < kernel_.nr_cpus(); cpu++)
		cpu_states_[cpu].running.nr_other_cpus =
		    llc_places_[kernel_.llc_of(cpu)].nr_cpus_in_scope - (in_scope(cpu) ? 1 : 0);
	llc_states_.assign(nr_llcs_, LlcState());
	accounts_.assign(CLASSES_MAX, cap_account());
	windows_.assign(CLASSES_MAX, feasible_window());
	cpu_samples_.assign(kernel_.nr_cpus(), feasible_cpu());
	states_.clear();
	init_groups();
	for (u32 cpu = 0; cpu < kernel_.nr_cpus(); cpu++) {
		cpu_states_[cpu].reserve_ns = spec_.reserve_ns;
		kernel_.clear_idle(cpu);
		kernel_.create_queue(dsq_id(DsqKind::latency_cpu, cpu));
		kernel_.create_queue(dsq_id(DsqKind::normal_cpu, cpu));
	}
	for (u32 llc = 0; llc < nr_llcs_; llc++) {
		llc_states_[llc].vtime_clock = spec_.vtime_first;
		kernel_.create_queue(dsq_id(DsqKind::latency_llc, llc));
		kernel_.create_queue(dsq_id(DsqKind::normal_llc, llc));
	}
}

void LatencyShell::enable(Task& task)
{
	if (states_.size() <= task.index)
		states_.resize(task.index + 1);
	TaskState& state = states_[task.index] = TaskState();
	state.llc = kernel_.llc_of(task.cpu);
	state.vtime = llc_states_[state.llc].vtime_clock;
	state.exec_ns_charged = task.sum_exec_ns;
	state.weight = task.spec->weight << WEIGHT_SHIFT;
	state.exec_ns_sampled = state.exec_ns_charged;
	state.runnable_ns = kernel_.clock_ns();
}

u32 LatencyShell::select_cpu(Task& task, u32 prev_cpu)
{
	bool is_idle = false;
	u32 cpu = kernel_.select_cpu_default(task, prev_cpu, &is_idle);

	if (is_idle) {
		if (cpu_states_[cpu].running.kind != RUNNING_ARRIVING)
			cpu_states_[cpu].running.kind = RUNNING_NOTHING;
		return cpu;
	}
	return wants_other_cpu(task, cpu) ? find_cpu_near(task, cpu) : cpu;
}

// A class stands for a cgroup: the walk to the nearest ancestor with a budget is not modelled.
void LatencyShell::refresh_budget(const Task& task, TaskState& state)
{
	if (state.generation == budget_generation_)
		return;
	state.generation = budget_generation_;
	state.budget_ns = state.quota_ns = 0;
	if (task.class_index() == kNoClass)
		return;
	state.budget_ns = classes_[task.class_index()].budget_ns;
	state.quota_ns = classes_[task.class_index()].cap_percent * spec_.cap_period_ns / 100;
}

bool LatencyShell::class_is_over_cap(const Task& task, const TaskState& state, u64 now_ns, u64 ran_ns)
{
	cap_account& account = accounts_[task.class_index() % CLASSES_MAX];

	account = cap_at(account, now_ns, state.quota_ns, spec_.cap_period_ns);
	account.used_ns += ran_ns;
	return over_cap(account, state.quota_ns);
}

u64 LatencyShell::budget_now(const Task& task, TaskState& state, u32 cpu, u64 now_ns, u64 ran_ns)
{
	if (!in_scope(cpu))
		return 0;
	refresh_budget(task, state);
	if (state.quota_ns && class_is_over_cap(task, state, now_ns, ran_ns)) {
		window_of(task).nr_over_cap++;
		return 0;
	}
	return state.budget_ns;
}

void LatencyShell::enqueue(Task& task, u32 flags)
{
	bool woken = flags & kEnqueueWakeup;
	u32 cpu = task.cpu;
	CpuState& cpu_state = cpu_states_[cpu];

	if (!woken && resume_turn(task, cpu, flags))
		return;
	TaskState& state = state_of(task);
	u64 ran_ns = settle_account(task, state, kernel_.llc_of(cpu));
	u64 now_ns = kernel_.clock_ns();

	if (woken)
		state.began_exec_ns = state.exec_ns_charged;
	else if (cpu_state.running.kind == RUNNING_BUDGETED)
		pay_floor_if_due(cpu_state, now_ns);
	latency_tunables tunables = tunables_of(cpu_state);
	place_facts facts = {};
	facts.now_ns = now_ns;
	facts.budget_ns = budget_now(task, state, cpu, now_ns, ran_ns);
	facts.deadline_ns = state.deadline_ns;
	facts.ran_ns = state.exec_ns_charged - state.began_exec_ns;
	facts.running = cpu_state.running;
	facts.woken = woken;
	facts.bound_kthread = task.is_bound_kthread();
	place_decision decision = place_task(&facts, &tunables);

	state.deadline_ns = decision.deadline_ns;
	state.queued_ns = now_ns;
	if (woken) {
		state.runnable_ns = now_ns;
		state.wait_open = decision.deadline_ns != 0;
	}
	if (decision.place == PLACE_NORMAL)
		refresh_weight(task, state, now_ns, !facts.deadline_ns);
	place(task, state, decision, now_ns, flags);
}

void LatencyShell::place(Task& task, TaskState& state, const place_decision& decision, u64 now_ns, u32 flags)
{
	CpuState& cpu_state = cpu_states_[task.cpu];

	switch (decision.place) {
	case PLACE_LOCAL:
		if (decision.deadline_ns && !task.is_bound_kthread()) {
			cpu_state.running.kind = RUNNING_ARRIVING;
			cpu_state.settled_ns = now_ns;
		}
		insert_local(task, state, flags | kEnqueueHead);
		break;
	case PLACE_LOCAL_PREEMPT:
		if (decision.deadline_ns) {
			settle_floor(cpu_state, now_ns);
			cpu_state.running.kind = RUNNING_ARRIVING;
			cpu_state.reserve_ns = reserve_unmeasured(cpu_state.reserve_ns, spec_.reserve_ns);
		}
		insert_local(task, state, flags | kEnqueuePreempt);
		break;
	case PLACE_LOCAL_LAST:
		insert_local(task, state, flags);
		break;
	case PLACE_LATENCY:
		queue_latency(task, task.cpu, now_ns, decision);
		break;
	case PLACE_NORMAL:
		queue_normal(task, state, task.cpu, flags & kEnqueueWakeup);
		break;
	}
}

bool LatencyShell::is_over_cap(const Task& task, u32 cpu, u64 now_ns)
{
	TaskState& state = state_of(task);

	return state.quota_ns &&
	       class_is_over_cap(task, state, now_ns, settle_account(task, state, kernel_.llc_of(cpu)));
}

void LatencyShell::budgeted_runs(const Task& task, u32 cpu, u64 key, u64 now_ns)
{
	TaskState& state = state_of(task);
	CpuState& cpu_state = cpu_states_[cpu];

	cpu_state.running.kind = RUNNING_BUDGETED;
	cpu_state.running.deadline_ns = deadline_of_key(key);
	if (cpu_state.timer_due_ns) {
		cpu_state.reserve_ns = reserve_after(cpu_state.reserve_ns, elapsed_ns(cpu_state.timer_due_ns, now_ns),
						     spec_.reserve_max_ns);
		outcome_.reserve_ns_max = std::max(outcome_.reserve_ns_max, cpu_state.reserve_ns + spec_.switch_ns);
		cpu_state.timer_due_ns = 0;
	}
	cpu_state.running.budget_ns = state.budget_ns;
	cpu_state.running.turn_until_ns = now_ns + ROUND_NS;
	cpu_state.running.kept_until_ns = burst_until_ns(now_ns, task.sum_exec_ns - state.began_exec_ns,
							 class_burst_ns(state.budget_ns, spec_.burst_ns));
	if (state.wait_open) {
		state.wait_open = false;
		feasible_wait(&window_of(task), now_ns - state.runnable_ns, state.budget_ns, cpu);
	}
	if (latency_waits(cpu))
		watch_claims(cpu, now_ns);
	if (now_ns - cpu_state.granted_ns < spec_.floor_window_ns)
		arm_timer(cpu, now_ns, now_ns + floor_look_ns(cpu_state.owed_ns, &floor_knobs_));
}

void LatencyShell::normal_runs(const Task& task, u32 cpu, u64 key, u64 now_ns)
{
	CpuState& cpu_state = cpu_states_[cpu];
	u64& clock = llc_states_[kernel_.llc_of(cpu)].vtime_clock;

	if (cpu_state.running.kind != RUNNING_KTHREAD || cpu_state.turn_pid != task.pid)
		cpu_state.running.kept_until_ns = floor_kept_until_ns(now_ns, cpu_state.owed_ns, &floor_knobs_);
	cpu_state.running.turn_until_ns =
	    floor_paid_until_ns(now_ns, cpu_state.owed_ns, cpu_state.is_paying, &floor_knobs_);
	cpu_state.running.kind = RUNNING_NORMAL;
	if (cpu_state.is_paying) {
		outcome_.nr_floor_granted++;
		cpu_state.granted_ns = now_ns;
	}
	if (cpu_state.turn_pid != task.pid) {
		cpu_state.turn_pid = task.pid;
		cpu_state.turn_began_exec_ns = task.sum_exec_ns;
	}
	if (vtime_before(clock, key))
		clock = key;
}

void LatencyShell::running(Task& task)
{
	u32 cpu = task.cpu;
	CpuState& cpu_state = cpu_states_[cpu];
	u64 now_ns = kernel_.clock_ns();

	settle_floor(cpu_state, now_ns);
	if (is_deadline_key(task.key)) {
		budgeted_runs(task, cpu, task.key, now_ns);
		return;
	}
	if (task.is_bound_kthread())
		cpu_state.running.kind = RUNNING_KTHREAD;
	else
		normal_runs(task, cpu, task.key, now_ns);
	watch_waiting(cpu, now_ns);
}

void LatencyShell::tick(Task& task)
{
	u32 cpu = task.cpu;
	CpuState& cpu_state = cpu_states_[cpu];
	latency_tunables tunables = tunables_of(cpu_state);
	u64 now_ns = kernel_.clock_ns();

	sample_class(task, cpu, now_ns);
	if (look_for_starved(cpu, now_ns) || floor_wants_cpu(cpu, now_ns) ||
	    (cpu_state.running.kind == RUNNING_BUDGETED && is_over_cap(task, cpu, now_ns)) ||
	    (cpu_state.timer_at_ns < now_ns && latency_is_queued(cpu) && cpu_may_be_preempted(cpu, now_ns, tunables)))
		task.slice_ns = 0;
	if (!group_specs_.empty() && cpu_state.running.kind == RUNNING_NORMAL)
		refresh_weight(task, state_of(task), now_ns, true);
}

void LatencyShell::wake_cpu_for_first(bool used, u32 queue)
{
	std::span<Task* const> tasks = kernel_.queued(queue);

	if (!used)
		return;
	for (const Task* task : tasks.first(std::min(tasks.size(), kLookedAtMax)))
		if (wake_idle_cpu(*task))
			return;
}

void LatencyShell::update_idle(u32 cpu, bool idle)
{
	u32 llc = kernel_.llc_of(cpu);
	const LlcState& llc_state = llc_states_[llc];

	if (!idle) {
		kernel_.clear_idle(cpu);
		wake_cpu_for_first(llc_state.latency_used, dsq_id(DsqKind::latency_llc, llc));
		wake_cpu_for_first(llc_state.normal_used, dsq_id(DsqKind::normal_llc, llc));
		return;
	}
	cpu_states_[cpu].running.kind = RUNNING_NOTHING;
	cpu_states_[cpu].owed_ns = 0;
	if ((llc_state.latency_used && nr_queued(DsqKind::latency_llc, llc) > 0) ||
	    (llc_state.normal_used && nr_queued(DsqKind::normal_llc, llc) > 0))
		kernel_.kick(cpu, kKickIdle);
}

}  // namespace punctual::sim
