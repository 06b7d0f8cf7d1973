// SPDX-License-Identifier: GPL-2.0-only
// Somebody changes the machine: masks, CPUs, the scheduler itself.
#include "sim/kernel.h"

#include <algorithm>

#include "sim/audit.h"

namespace punctual::sim {

bool Kernel::set_cpus(Task& task, const CpuSet& cpus)
{
	Cpu& cpu = cpus_[task.cpu];

	// The real call waits for the lock, or until the task allows migration again.
	if (cpu.locked || task.place == TaskPlace::waking || task.unmovable)
		return false;
	bool was_running = task.place == TaskPlace::running;
	if (task.place == TaskPlace::local || task.place == TaskPlace::queued) {
		unqueue(task);
		if (!bypass_)
			scheduler_->dequeue(task);
	}
	task.cpus = cpus;
	task.nr_cpus_allowed = cpus.count();
	if (task.place == TaskPlace::placing) {
		task.cpu = allowed_cpu(task);
		arrive(task, 0);
	} else if (was_running && (cpus & online_).has(task.cpu)) {
		account(cpu);
		if (!bypass_)
			scheduler_->running(task);  // it is taken off and set again
	} else if (was_running) {
		account(cpu);
		leave_cpu(cpu, task);
		if (!bypass_) {
			scheduler_->stopping(task, true);
			scheduler_->dequeue(task);
		}
		set_place(task, TaskPlace::placing);
		schedule(cpu, nullptr);
		task.cpu = allowed_cpu(task);
		arrive(task, 0);
	}
	return true;
}

// scx_latency has no callback for it, so the kernel ends it; the loader loads it again.
bool Kernel::set_online(u32 index, bool online)
{
	Cpu& cpu = cpus_[index];

	if (cpu.locked)
		return false;
	if (cpu.online == online || (!online && online_.count() == 1))
		return true;
	eject();
	cpu.online = online;
	if (online) {
		online_.add(index);
		cpu.idle_since_ns = now_ns_;
		resched(cpu, 0);
		return true;
	}
	online_.remove(index);
	if (idle_.has(index))
		claim(index);
	if (Task* task = cpu.curr) {
		account(cpu);
		leave_cpu(cpu, *task);
		set_place(*task, TaskPlace::placing);
		cpu.curr = nullptr;
		to_fallback(*task);
	}
	for (Task& task : tasks_)
		if (task.place == TaskPlace::fallback)
			task.cpu = allowed_cpu(task);
	return true;
}

void Kernel::eject()
{
	if (bypass_)
		return;
	bypass_ = true;
	outcome_.nr_ejected++;
	outcome_.note(now_ns_, TraceKind::ejected, 0, 0, scenario_.keep_trace);
	for (Task& task : tasks_)
		if (task.place == TaskPlace::local || task.place == TaskPlace::queued) {
			unqueue(task);
			to_fallback(task);
		}
	for (Cpu& cpu : cpus_) {
		events_.cancel(EventKind::timer, cpu.index);
		cpu.timer_due = false;
		resched(cpu, scenario_.machine.costs.ipi_ns);
	}
}

void Kernel::attach()
{
	if (!bypass_)
		return;
	bypass_ = false;
	outcome_.note(now_ns_, TraceKind::attached, 0, 0, scenario_.keep_trace);
	// The kernel takes all CPUs for idle at first; the bit of a busy one goes when somebody claims it.
	idle_ = online_;
	idle_cores_ = has_smt_ ? online_ : CpuSet();
	nr_idle_ = online_.count();
	scheduler_->init();
	for (Task& task : tasks_) {
		if (task.place == TaskPlace::dead)
			continue;
		scheduler_->enable(task);
		if (task.place == TaskPlace::running)
			scheduler_->running(task);
		if (task.place != TaskPlace::local && task.place != TaskPlace::fallback)
			continue;
		unqueue(task);
		task.cpu = allowed_cpu(task);
		arrive(task, 0);
	}
	for (Cpu& cpu : cpus_)
		resched(cpu, 0);
}

}  // namespace punctual::sim
