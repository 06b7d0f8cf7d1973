// SPDX-License-Identifier: GPL-2.0-only
// Waking, placing and queueing: what the kernel does between a wakeup and a run, and its kfuncs.
#include "sim/kernel.h"

#include <algorithm>

#include "sim/audit.h"

namespace punctual::sim {

// ---- the life of a task ----

Task& Kernel::create_task(const TaskSpec& spec, u32 spec_index, u64 stream)
{
	u32 row = static_cast<u32>(tasks_.size());

	if (dead_.empty()) {
		tasks_.emplace_back();
	} else {
		row = dead_.back();
		dead_.pop_back();
	}
	u32 generation = tasks_[row].generation;
	Task& task = tasks_[row] = Task();
	task.spec = &spec;
	task.spec_index = spec_index;
	task.group = spec.group;
	task.index = row;
	task.generation = generation;
	task.pid = pid_next_++;
	if (pid_next_ > scenario_.machine.pid_max)
		pid_next_ =
		    std::min<u32>(300, scenario_.machine.pid_max / 2);  // as the kernel: low ones are not reused
	for (u32 cpu : spec.cpus)
		task.cpus.add(cpu);
	if (spec.cpus.empty())
		task.cpus = CpuSet::first(nr_cpus());
	task.nr_cpus_allowed = std::max(1U, task.cpus.count());
	for (u32 skip = spec_index % task.nr_cpus_allowed, cpu = 0; cpu < nr_cpus(); cpu++)  // spread, as after boot
		if (task.cpus.has(cpu) && skip-- == 0)
			task.cpu = task.last_cpu = cpu;
	task.random = Random(scenario_.seed, 2 * stream);
	task.arrivals = Random(scenario_.seed, 2 * stream + 1);
	task.placed_ns = now_ns_;
	if (!bypass_)
		scheduler_->enable(task);
	return task;
}

Task* Kernel::task_of(const Event& event)
{
	Task& task = tasks_[event.index];
	return task.generation == event.data && task.place != TaskPlace::dead ? &task : nullptr;
}

void Kernel::set_place(Task& task, TaskPlace place)
{
	if (audit_)
		audit_->on_place(task, place);
	task.place = place;
	task.placed_ns = now_ns_;
}

void Kernel::wake(Task& task, bool is_fork)
{
	task.runnable_ns = task.queued_ns = now_ns_;
	task.wait_open = true;
	outcome_.note(now_ns_, TraceKind::wakes, task.cpu, task.index, scenario_.keep_trace);
	task.cpu = choose_cpu(task);
	arrive(task, is_fork ? 0 : kEnqueueWakeup);
}

void Kernel::arrive(Task& task, u32 flags)
{
	Cpu& cpu = cpus_[task.cpu];

	if (!cpu.locked) {
		activate(task, flags);
		return;
	}
	set_place(task, TaskPlace::waking);
	cpu.pending.push_back({&task, flags});
}

void Kernel::activate(Task& task, u32 flags)
{
	Cpu& cpu = cpus_[task.cpu];

	set_place(task, TaskPlace::placing);
	enqueue(task, flags);
	if (!cpu.curr && cpu.online)  // any task comes before the idle one: wakeup_preempt()
		resched(cpu, delay_to(cpu.index));
}

void Kernel::enqueue(Task& task, u32 flags)
{
	if (bypass_) {
		to_fallback(task);
		return;
	}
	scheduler_->enqueue(task, flags);
	if (audit_)
		audit_->on_enqueued(task);
}

// A CPU of its mask that is online; when there is none the kernel gives it all CPUs.
u32 Kernel::allowed_cpu(Task& task)
{
	CpuSet usable = task.cpus & online_;

	if (usable.has(task.cpu))
		return task.cpu;
	if (usable.lowest() == CpuSet::kNone) {
		task.cpus = CpuSet::first(nr_cpus());
		task.nr_cpus_allowed = nr_cpus();
		usable = online_;
	}
	CpuSet near = usable & node_cpus_[cpus_[task.cpu].node];
	return near.lowest() != CpuSet::kNone ? near.lowest() : usable.lowest();
}

u32 Kernel::choose_cpu(Task& task)
{
	u32 cpu = allowed_cpu(task);

	if (task.is_pinned())
		return cpu;  // the kernel does not ask
	if (bypass_) {
		bool is_idle = false;
		return select_cpu_default(task, cpu, &is_idle);
	}
	task.cpu = cpu;
	return scheduler_->select_cpu(task, cpu);
}

// ---- the kernel's own queue ----

void Kernel::to_fallback(Task& task)
{
	set_place(task, TaskPlace::fallback);
	fallback_.push_back(&task);
	u32 idle = pick_idle_cpu(task.cpus);
	if (idle != CpuSet::kNone)
		resched(cpus_[idle], scenario_.machine.costs.ipi_ns);
}

bool Kernel::take_fallback(Cpu& cpu)
{
	for (Task* task : fallback_) {
		if (!task->may_run_on(cpu.index))
			continue;
		std::erase(fallback_, task);
		task->cpu = cpu.index;
		set_place(*task, TaskPlace::local);
		cpu.local.push_back(task);
		return true;
	}
	return false;
}

void Kernel::unqueue(Task& task)
{
	if (task.place == TaskPlace::local)
		std::erase(cpus_[task.cpu].local, &task);
	else if (task.place == TaskPlace::queued)
		queues_[task.queue].remove(task);
	else if (task.place == TaskPlace::fallback)
		std::erase(fallback_, &task);
	set_place(task, TaskPlace::placing);
}

// ---- kfuncs ----

void Kernel::create_queue(u32 queue)
{
	queues_[queue].polled_ns = now_ns_;
}

void Kernel::insert_local(Task& task, u64 slice_ns, u32 flags)
{
	Cpu& cpu = cpus_[task.cpu];

	task.slice_ns = slice_ns;
	set_place(task, TaskPlace::local);
	if (flags & (kEnqueueHead | kEnqueuePreempt))
		cpu.local.insert(cpu.local.begin(), &task);
	else
		cpu.local.push_back(&task);
	if ((flags & kEnqueuePreempt) && cpu.curr && cpu.curr != &task)
		preempt(cpu, delay_to(cpu.index));
}

void Kernel::insert_by_key(Task& task, u32 queue, u64 slice_ns, u64 key)
{
	if (queues_[queue].tasks().empty())
		queues_[queue].polled_ns = now_ns_;
	task.slice_ns = slice_ns;
	task.key = key;
	task.queue = queue;
	set_place(task, TaskPlace::queued);
	queues_[queue].insert(task);
}

bool Kernel::move_to_local(u32 cpu, u32 queue)
{
	queues_[queue].polled_ns = now_ns_;
	for (Task* task : queues_[queue].tasks()) {
		if (!task->may_run_on(cpu))
			continue;
		if (audit_)
			audit_->on_dispatch(cpu, *task);
		queues_[queue].remove(*task);
		task->cpu = cpu;
		set_place(*task, TaskPlace::local);
		cpus_[cpu].local.push_back(task);
		return true;
	}
	return false;
}

// From the scheduler's timer, with a task that is queued.
void Kernel::move_to_cpu(Task& task, u32 cpu, u32 flags)
{
	if (!task.may_run_on(cpu)) {
		error(fmt::format("task {} was moved to CPU {}, where it may not run", task.index, cpu));
		return;
	}
	queues_[task.queue].polled_ns = now_ns_;
	if (audit_ && task.cpu == cpu)  // another one takes what this one cannot
		audit_->on_dispatch(cpu, task);
	unqueue(task);
	task.cpu = cpu;
	insert_local(task, task.slice_ns, flags);
	if (!cpus_[cpu].curr)
		resched(cpus_[cpu], delay_to(cpu));
}

void Kernel::take(Task& task, u32 cpu)
{
	unqueue(task);
	task.cpu = cpu;
	set_place(task, TaskPlace::local);
	cpus_[cpu].local.push_back(&task);
}

void Kernel::requeue(Task& task, u32 cpu)
{
	unqueue(task);
	task.cpu = cpu;
	arrive(task, 0);
}

void Kernel::claim(u32 cpu)
{
	idle_.remove(cpu);
	nr_idle_--;
	if (has_smt_)
		idle_cores_.remove(core_cpus_[cpus_[cpu].core]);
	cpus_[cpu].claimed_ns = now_ns_;
}

void Kernel::clear_idle(u32 cpu)
{
	if (idle_.has(cpu))
		claim(cpu);
}

u32 Kernel::pick_idle_cpu(const CpuSet& allowed)
{
	if (!nr_idle_)
		return CpuSet::kNone;
	u32 cpu = (allowed & idle_).lowest();
	if (cpu != CpuSet::kNone)
		claim(cpu);
	return cpu;
}

u32 Kernel::find_idle(const CpuSet& allowed, u32 near_cpu, bool beyond_cache) const
{
	const CpuSet* const near[] = {&llc_cpus_[cpus_[near_cpu].llc], &node_cpus_[cpus_[near_cpu].node], &online_};
	const CpuSet usable = allowed & idle_;

	if (!nr_idle_)
		return CpuSet::kNone;
	for (bool whole_cores : {true, false}) {
		if (whole_cores && !has_smt_)
			continue;
		const CpuSet choice = whole_cores ? usable & idle_cores_ : usable;
		if (choice.has(near_cpu))
			return near_cpu;
		for (const CpuSet* cpus : near) {
			const u32 cpu = (choice & *cpus).lowest();
			if (cpu != CpuSet::kNone)
				return cpu;
			if (!beyond_cache)
				break;
		}
	}
	return CpuSet::kNone;
}

// scx_bpf_select_cpu_dfl(): the previous CPU, its cache, its node, any; of each first one whose core is wholly idle.
u32 Kernel::select_cpu_default(Task& task, u32 prev_cpu, bool* is_idle)
{
	const u32 cpu = find_idle(task.cpus, prev_cpu, true);

	*is_idle = cpu != CpuSet::kNone;
	if (!*is_idle)
		return prev_cpu;
	claim(cpu);
	return cpu;
}

// A core is idle when all of its threads are.
void Kernel::mark_idle(u32 cpu)
{
	const CpuSet& core = core_cpus_[cpus_[cpu].core];

	idle_.add(cpu);
	nr_idle_++;
	if (has_smt_ && (core & idle_).count() == core.count())
		idle_cores_.add(core);
}

void Kernel::start_timer(u32 cpu, u64 delay_ns)
{
	u64 late_ns = random_.below(scenario_.machine.costs.timer_late_ns + 1);

	if (static_cast<s64>(delay_ns) < 0)
		delay_ns = 0;  // as an hrtimer does with a time that has passed
	cpus_[cpu].timer_due = false;
	events_.set(now_ns_ + delay_ns + late_ns, EventKind::timer, cpu);
}

void Kernel::error(std::string_view text)
{
	if (outcome_.broken.size() < Outcome::kBrokenMax)
		outcome_.broken.push_back(fmt::format("{} ns: the scheduler ended itself: {}", now_ns_, text));
	eject();
}

}  // namespace punctual::sim
