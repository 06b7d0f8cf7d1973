// SPDX-License-Identifier: GPL-2.0-only
// What has the time of a CPU between two switches: work, ticks, and interrupts, which take it from whoever runs.
#include "sim/kernel.h"

#include <algorithm>

#include "sim/workload.h"

namespace punctual::sim {

// ---- interrupts: they take time from whoever runs ----

// Those that came while interrupts were off are handled in one go.
void Kernel::begin_pending_interrupt(Cpu& cpu)
{
	const CostSpec& costs = scenario_.machine.costs;
	const u64 cost_ns = cpu.woken.size() * costs.wakeup_ns + (cpu.tick_due ? costs.tick_ns : 0) +
			    (cpu.timer_due ? costs.timer_ns : 0);

	if (!cost_ns || cpu.locked)
		return;
	lock(cpu, cost_ns + (cpu.curr ? 0 : costs.idle_exit_ns));
}

void Kernel::lock(Cpu& cpu, u64 cost_ns)
{
	settle_work(cpu);
	events_.cancel(EventKind::work, cpu.index);
	cpu.locked = true;
	cpu.locked_until_ns = cpu.work_start_ns = now_ns_ + cost_ns;
	events_.set(cpu.locked_until_ns, EventKind::interrupted, cpu.index);
}

void Kernel::on_interrupted(Cpu& cpu)
{
	cpu.locked = false;
	here_ = cpu.index;
	if (cpu.curr)
		start_work(cpu);
	if (std::exchange(cpu.exiting, false)) {
		unlocked(cpu);
		here_ = kNoCpu;
		return;
	}
	const bool has_exit = scenario_.machine.costs.wakeup_exit_ns && !cpu.woken.empty();
	if (std::exchange(cpu.tick_due, false))
		do_tick(cpu);
	if (std::exchange(cpu.timer_due, false) && !bypass_)
		scheduler_->timer_fired(cpu.index);
	woken_.swap(cpu.woken);
	for (const PendingWake& wake : woken_) {
		wake.task->interrupt_comes = false;
		workload_->on_wake(*wake.task);
	}
	woken_.clear();
	cpu.exiting = has_exit;
	if (has_exit)
		lock(cpu, scenario_.machine.costs.wakeup_exit_ns);
	else
		unlocked(cpu);
	here_ = kNoCpu;
}

// From a device or a timer of the task itself.
void Kernel::interrupt(Task& task)
{
	Cpu& cpu = cpus_[task.last_cpu];

	if (task.place != TaskPlace::asleep || task.interrupt_comes)
		return;
	if (!scenario_.machine.costs.wakeup_ns || !cpu.online) {
		workload_->on_wake(task);
		return;
	}
	task.interrupt_comes = true;
	cpu.woken.push_back({&task, 0});
	begin_pending_interrupt(cpu);
}

void Kernel::on_timer(Cpu& cpu)
{
	if (scenario_.machine.costs.timer_ns) {
		cpu.timer_due = true;
		begin_pending_interrupt(cpu);
	} else if (cpu.locked) {  // with interrupts off
		events_.set(cpu.locked_until_ns, EventKind::timer, cpu.index);
	} else {
		scheduler_->timer_fired(cpu.index);
	}
}

// ---- running ----

void Kernel::on_work(Cpu& cpu)
{
	Task& task = *cpu.curr;

	settle_work(cpu);
	here_ = cpu.index;  // whom it wakes on its own CPU needs no interrupt from another
	Step step = task.is_leaving ? Step{StepKind::sleep} : workload_->finished(task);
	if (step.kind == StepKind::sleep && !task.is_leaving && scenario_.machine.costs.sleep_ns) {
		task.is_leaving = true;
		step = {StepKind::work, scenario_.machine.costs.sleep_ns};
	} else if (step.kind == StepKind::sleep) {
		task.is_leaving = false;
		step = workload_->leave(task);
	}
	here_ = kNoCpu;
	task.work_left_ns = step.work_ns;
	if (step.kind == StepKind::yield) {
		account(cpu);
		task.slice_ns = 0;
		resched(cpu, 0);
		step.kind = StepKind::work;
	}
	if (step.kind == StepKind::work) {
		start_work(cpu);
		return;
	}
	account(cpu);
	leave_cpu(cpu, task);
	task.preempted = false;
	if (step.kind == StepKind::exit) {
		set_place(task, TaskPlace::dead);
		task.generation++;
	} else {
		set_place(task, TaskPlace::asleep);
	}
	if (!bypass_)
		scheduler_->stopping(task, false);
	schedule(cpu, nullptr);
	if (task.place == TaskPlace::dead)
		dead_.push_back(task.index);
}

void Kernel::start_work(Cpu& cpu)
{
	const u64 work_ns = cpu.curr->work_left_ns;
	const u64 speed = cpu.speed_percent;

	if (work_ns < kWorkForeverNs / 2)
		events_.set(now_ns_ + (speed == 100 ? work_ns : (work_ns * 100 + speed - 1) / speed), EventKind::work,
			    cpu.index);
}

// An idle CPU stops its tick; all ticks lie on one grid, a little apart from each other.
void Kernel::start_tick(Cpu& cpu)
{
	u64 shift_ns = tick_ns_ * cpu.index / cpus_.size();

	if (cpu.ticking)
		return;
	cpu.ticking = true;
	events_.set((now_ns_ + tick_ns_ - shift_ns) / tick_ns_ * tick_ns_ + shift_ns, EventKind::tick, cpu.index);
}

void Kernel::on_tick(Cpu& cpu)
{
	if (!cpu.curr || !cpu.online) {
		cpu.ticking = false;
		return;
	}
	if (scenario_.machine.costs.tick_ns) {
		cpu.tick_due = true;
		begin_pending_interrupt(cpu);
	} else if (cpu.locked) {  // interrupts are off
		events_.set(cpu.locked_until_ns, EventKind::tick, cpu.index);
	} else {
		do_tick(cpu);
	}
}

void Kernel::do_tick(Cpu& cpu)
{
	if (!cpu.curr || !cpu.online) {
		cpu.ticking = false;
		return;
	}
	account(cpu);
	if (bypass_)
		cpu.curr->slice_ns = 0;
	else
		scheduler_->tick(*cpu.curr);
	if (!cpu.curr->slice_ns)
		resched(cpu, 0);
	cpu.ticking = false;
	start_tick(cpu);
}

// Also for a running task, and of its stay on the CPU, which counts as two from here.
void Kernel::count_work()
{
	for (Cpu& cpu : cpus_) {
		settle_work(cpu);
		if (cpu.curr && cpu.curr->place == TaskPlace::running)
			outcome_.tasks[cpu.curr->spec_index].cpu_ns += now_ns_ - cpu.run_start_ns;
		cpu.run_start_ns = now_ns_;
	}
	for (TaskRecord& record : outcome_.tasks)
		record.own_work_ns = 0;
	for (const Task& task : tasks_)
		outcome_.tasks[task.spec_index].own_work_ns += task.own_work_ns;
}

}  // namespace punctual::sim
