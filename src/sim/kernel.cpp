// SPDX-License-Identifier: GPL-2.0-only
// A CPU chooses: it is told to, takes the next task, and switches to it.
#include "sim/kernel.h"

#include <algorithm>

#include "sim/audit.h"
#include "sim/workload.h"

namespace punctual::sim {
namespace {

constexpr u64 kSliceDefaultNs = 20 * kMillisecond;  // SCX_SLICE_DFL
constexpr u64 kSliceBypassNs = 5 * kMillisecond;
constexpr u32 kQueuesMax = 4 * CPUS_MAX;

}  // namespace

Kernel::Kernel(const Scenario& scenario, Outcome& outcome)
    : scenario_(scenario),
      outcome_(outcome),
      events_(scenario.machine.nr_cpus),
      cpus_(scenario.machine.nr_cpus),
      queues_(kQueuesMax),
      online_(CpuSet::first(scenario.machine.nr_cpus)),
      tick_ns_(kSecond / scenario.machine.hz),
      pid_next_(scenario.machine.pid_first),
      random_(scenario.seed, ~0ULL)
{
	for (u32 i = 0; i < cpus_.size(); i++) {
		Cpu& cpu = cpus_[i];
		cpu.index = i;
		const CpuPlace place = scenario.machine.place_of(i);
		cpu.llc = place.llc;
		cpu.node = place.node;
		cpu.core = place.core;
		llc_cpus_.resize(cpu.llc + 1);
		node_cpus_.resize(cpu.node + 1);
		core_cpus_.resize(cpu.core + 1);
		llc_cpus_[cpu.llc].add(i);
		node_cpus_[cpu.node].add(i);
		core_cpus_[cpu.core].add(i);
	}
	has_smt_ = core_cpus_.size() < cpus_.size();
}

void Kernel::connect(Scheduler& scheduler, Workload& workload, Audit* audit)
{
	scheduler_ = &scheduler;
	workload_ = &workload;
	audit_ = audit;
}

void Kernel::handle(const Event& event)
{
	if (event.kind <= EventKind::work || event.kind == EventKind::kick) {
		handle_cpu(event, cpus_[event.index]);
	} else if (Task* task = task_of(event)) {
		if (event.kind == EventKind::mask)
			workload_->change_cpus(*task);
		else
			interrupt(*task);
	}
}

void Kernel::handle_cpu(const Event& event, Cpu& cpu)
{
	switch (event.kind) {
	case EventKind::resched:
		on_resched(cpu);
		break;
	case EventKind::kick:
		on_kick(cpu, event.data);
		break;
	case EventKind::switch_done:
		on_switch_done(cpu, event.data);
		break;
	case EventKind::tick:
		on_tick(cpu);
		break;
	case EventKind::timer:
		on_timer(cpu);
		break;
	case EventKind::interrupted:
		on_interrupted(cpu);
		break;
	default:
		on_work(cpu);
	}
}

// ---- being told to choose again ----

void Kernel::resched(Cpu& cpu, u64 delay_ns)
{
	u64 at_ns = now_ns_ + delay_ns;

	cpu.need_resched = true;
	if (cpu.locked || (cpu.resched_pending && cpu.resched_at_ns <= at_ns))
		return;
	cpu.resched_pending = true;
	cpu.resched_at_ns = at_ns;
	events_.set(at_ns, EventKind::resched, cpu.index);
}

// How long the running task cannot be preempted for: its sections come evenly over its running time.
u64 Kernel::section_left_ns(const Cpu& cpu) const
{
	const TaskSpec* spec = cpu.curr ? cpu.curr->spec : nullptr;

	if (!spec || !spec->section_every_ns || cpu.curr->place != TaskPlace::running)
		return 0;
	u64 position_ns = (cpu.curr->worked_ns + now_ns_ - cpu.work_start_ns) % spec->section_every_ns;
	return position_ns < spec->section_ns ? spec->section_ns - position_ns : 0;
}

void Kernel::on_resched(Cpu& cpu)
{
	u64 section_ns;

	cpu.resched_pending = false;
	if (cpu.locked || !cpu.need_resched || !cpu.online)
		return;
	section_ns = section_left_ns(cpu);
	if (section_ns)
		resched(cpu, section_ns);
	else
		schedule(cpu, cpu.curr);
}

void Kernel::preempt(Cpu& cpu, u64 delay_ns)
{
	account(cpu);
	take_slice(cpu);
	resched(cpu, delay_ns);
}

void Kernel::take_slice(Cpu& cpu)
{
	if (!cpu.curr)
		return;
	cpu.curr->slice_ns = 0;
	cpu.curr->preempted = true;
}

void Kernel::kick(u32 cpu, u32 flags)
{
	events_.add(now_ns_, EventKind::kick, cpu, cpu == here_ ? flags | kKickHere : flags);
}

void Kernel::on_kick(Cpu& cpu, u32 flags)
{
	if (cpu.locked) {
		cpu.pending_kicks |= flags;
		return;
	}
	if (!cpu.online || bypass_)
		return;
	if (flags & kKickPreempt) {
		outcome_.note(now_ns_, TraceKind::kicked, cpu.index, cpu.curr ? cpu.curr->index : ~0U,
			      scenario_.keep_trace);
		preempt(cpu, flags & kKickHere ? 0 : scenario_.machine.costs.ipi_ns);
	} else if (!cpu.curr) {
		resched(cpu, flags & kKickHere ? 0 : scenario_.machine.costs.ipi_ns);
	}
}

// ---- choosing ----

// Counts what the running task ran since the last time.
void Kernel::account(Cpu& cpu) const
{
	u64 ran_ns = now_ns_ - cpu.exec_start_ns;

	cpu.exec_start_ns = now_ns_;
	if (!cpu.curr)
		return;
	cpu.curr->sum_exec_ns += ran_ns;
	cpu.curr->slice_ns -= std::min(cpu.curr->slice_ns, ran_ns);
}

// What runs next; none: the CPU idles. prev: what ran and would go on.
Task* Kernel::pick(Cpu& cpu, Task* prev)
{
	if (cpu.local.empty()) {
		if (bypass_)
			take_fallback(cpu);
		else
			scheduler_->dispatch(cpu.index, prev);
		if (prev && prev->slice_ns && !bypass_)
			return prev;  // the scheduler gave it another
	}
	if (!cpu.local.empty())
		return cpu.local.front();
	return prev;
}

// prev: what runs and would go on; none: the CPU idles, or the task on it is leaving.
void Kernel::schedule(Cpu& cpu, Task* prev)
{
	account(cpu);
	cpu.need_resched = false;
	if (std::exchange(cpu.resched_pending, false))
		events_.cancel(EventKind::resched, cpu.index);
	if (prev && prev->slice_ns && !bypass_)
		return;  // nothing took its slice: it has priority
	Task* next = pick(cpu, prev);
	if (next == prev && prev) {
		if (bypass_ || !prev->slice_ns)
			prev->slice_ns = bypass_ ? kSliceBypassNs : kSliceDefaultNs;
		prev->preempted = false;
		return;
	}
	if (prev)
		put_prev(cpu, *prev);
	switch_to(cpu, next);
}

void Kernel::put_prev(Cpu& cpu, Task& prev)
{
	if (prev.preempted) {
		outcome_.nr_preempted[cpu.index]++;
		outcome_.tasks[prev.spec_index].nr_preempted++;
		outcome_.note(now_ns_, TraceKind::preempted, cpu.index, prev.index, scenario_.keep_trace);
		prev.preempted = false;
	}
	leave_cpu(cpu, prev);
	if (!bypass_)
		scheduler_->stopping(prev, true);
	set_place(prev, TaskPlace::placing);
	enqueue(prev, 0);
}

// The task stops working. cpu.curr stays until the switch: callbacks may still see it there.
void Kernel::leave_cpu(Cpu& cpu, Task& task)
{
	settle_work(cpu);
	events_.cancel(EventKind::work, cpu.index);
	task.queued_ns = now_ns_;
	outcome_.tasks[task.spec_index].cpu_ns += now_ns_ - cpu.run_start_ns;
	if (scenario_.keep_trace)
		outcome_.runs.push_back(
		    {cpu.run_start_ns, now_ns_, cpu.index, task.spec_index, task.class_index() == kNoClass});
}

// What the running task got done since the last time.
void Kernel::settle_work(Cpu& cpu) const
{
	Task* task = cpu.curr;

	if (!task || task->place != TaskPlace::running || now_ns_ <= cpu.work_start_ns)
		return;
	const u64 worked_ns = (now_ns_ - cpu.work_start_ns) * cpu.speed_percent / 100;
	cpu.work_start_ns = now_ns_;
	task->worked_ns += worked_ns;
	task->own_work_ns += task->is_leaving ? 0 : worked_ns;
	task->work_left_ns -= std::min(task->work_left_ns, worked_ns);
}

// A core that is shared is slower for each of those who share it.
void Kernel::set_speed(Cpu& cpu)
{
	u32 nr_busy = 0;
	CpuSet core = core_cpus_[cpu.core];

	for (u32 other = core.lowest(); other != CpuSet::kNone; other = core.lowest()) {
		core.remove(other);
		nr_busy += cpus_[other].curr != nullptr;
	}
	const u32 percent = nr_busy > 1 ? scenario_.machine.costs.smt_percent : 100;
	if (percent == cpu.speed_percent)
		return;
	settle_work(cpu);
	cpu.speed_percent = percent;
	if (!cpu.locked && cpu.curr && cpu.curr->place == TaskPlace::running)
		start_work(cpu);
}

void Kernel::core_changed(const Cpu& cpu)
{
	CpuSet core = core_cpus_[cpu.core];

	for (u32 other = core.lowest(); other != CpuSet::kNone; other = core.lowest()) {
		core.remove(other);
		set_speed(cpus_[other]);
	}
}

void Kernel::switch_to(Cpu& cpu, Task* next)
{
	const CostSpec& costs = scenario_.machine.costs;
	bool was_idle = !cpu.curr;
	u64 cost_ns = costs.idle_entry_ns;

	if (next) {
		std::erase(cpu.local, next);
		cost_ns = costs.switch_ns + (next->last_cpu == cpu.index ? 0 : costs.remote_pull_ns);
		outcome_.tasks[next->spec_index].nr_migrations += next->last_cpu != cpu.index;
		outcome_.tasks[next->spec_index].nr_runs++;
		if (was_idle && !bypass_)
			scheduler_->update_idle(cpu.index, false);
		if (was_idle && idle_.has(cpu.index))
			claim(cpu.index);
		if (!next->slice_ns)
			next->slice_ns = kSliceDefaultNs;
		next->last_cpu = cpu.index;
		next->waited_ns += now_ns_ - next->queued_ns;
		set_place(*next, TaskPlace::running);
	}
	cpu.curr = next;
	cpu.exec_start_ns = cpu.run_start_ns = now_ns_;
	cpu.locked = true;
	cpu.locked_until_ns = cpu.work_start_ns = now_ns_ + cost_ns;
	outcome_.note(now_ns_, next ? TraceKind::runs : TraceKind::idles, cpu.index, next ? next->index : ~0U,
		      scenario_.keep_trace);
	if (next && !bypass_)
		scheduler_->running(*next);
	if (!next && !was_idle)
		cpu.idle_since_ns = now_ns_;
	events_.set(cpu.locked_until_ns, EventKind::switch_done, cpu.index, was_idle);
	if (has_smt_ && was_idle != !next && scenario_.machine.costs.smt_percent != 100)
		core_changed(cpu);
	if (next)
		start_tick(cpu);
}

void Kernel::on_switch_done(Cpu& cpu, bool was_idle)
{
	cpu.locked = false;
	if (Task* task = cpu.curr) {
		start_work(cpu);
		if (task->wait_open) {
			TaskRecord& record = outcome_.tasks[task->spec_index];
			u64 wait_ns = now_ns_ - task->runnable_ns;
			task->wait_open = false;
			record.nr_waits++;
			record.wait_ns_max = std::max(record.wait_ns_max, wait_ns);
			outcome_.classes[std::min<size_t>(task->class_index(), scenario_.classes.size())].waits.record(
			    wait_ns);
			if (task->spec->row != kNoRow)
				outcome_.rows[task->spec->row].record(wait_ns);
		}
	} else if (cpu.online) {
		// Also from idle to idle, which gives a claim back; the scheduler hears of real changes only.
		if (!bypass_ && !was_idle)
			scheduler_->update_idle(cpu.index, true);
		if (!idle_.has(cpu.index))
			mark_idle(cpu.index);
	}
	unlocked(cpu);
}

void Kernel::unlocked(Cpu& cpu)
{
	activating_.swap(cpu.pending);
	for (const PendingWake& wake : activating_)
		activate(*wake.task, wake.flags);
	activating_.clear();
	if (u32 flags = std::exchange(cpu.pending_kicks, 0))
		on_kick(cpu, flags);
	if (cpu.need_resched)
		resched(cpu, 0);
	begin_pending_interrupt(cpu);
}

void Kernel::finish()
{
	for (Cpu& cpu : cpus_)
		if (cpu.curr && cpu.curr->place == TaskPlace::running)
			leave_cpu(cpu, *cpu.curr);
}

}  // namespace punctual::sim
