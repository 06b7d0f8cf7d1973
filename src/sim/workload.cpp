// SPDX-License-Identifier: GPL-2.0-only
#include "sim/workload.h"

namespace punctual::sim {

void Workload::start()
{
	for (u32 i = 0; i < scenario_.tasks.size(); i++) {
		const TaskSpec& spec = scenario_.tasks[i];
		if (spec.is_forked)
			continue;
		Task& task = kernel_.create_task(spec, i, ++nr_streams_);
		if (spec.program == Program::packets) {
			task.ring.start(spec.nic, task.arrivals, spec.start_ns, scenario_.count_until_ns);
			await_packets(task);
		} else {
			kernel_.events().set(spec.start_ns, EventKind::wake, task.index, task.generation);
		}
	}
}

u64 Workload::length_ns(Task& task, u64 mean_ns)
{
	return std::max<u64>(task.spec->varies ? task.random.exponential(mean_ns) : mean_ns, 100);
}

Step Workload::next_packet(Task& task)
{
	admit(task);
	if (task.ring.empty())
		return {StepKind::sleep};
	return {StepKind::work, length_ns(task, task.spec->run_ns) * task.ring.work_factor()};
}

void Workload::admit(Task& task)
{
	const u64 lost = task.ring.nr_lost();

	task.ring.admit(kernel_.now_ns(), scenario_.count_from_ns);
	for (u64 i = task.ring.nr_lost() - lost; i > 0; i--)
		outcome_.note(kernel_.now_ns(), TraceKind::dropped, 0, task.index, scenario_.keep_trace);
}

void Workload::await_packets(const Task& task)
{
	if (task.ring.next_ns() != ~0ULL)
		kernel_.events().set(task.ring.next_ns() + task.spec->nic.coalesce_ns, EventKind::packets, task.index,
				     task.generation);
}

void Workload::fork(const Task& parent)
{
	if (nr_children_ >= kChildrenMax)
		return;
	Task& child = kernel_.create_task(*parent.spec, parent.spec_index, ++nr_streams_);
	nr_children_++;
	outcome_.nr_forked++;
	child.is_child = true;
	child.cpu = parent.cpu;
	child.work_left_ns = length_ns(child, child.spec->run_ns);
	kernel_.wake(child, true);
}

void Workload::packet_done(Task& task)
{
	if (task.ring.front() >= scenario_.count_from_ns)
		outcome_.classes[record_of(task)].packets.record(kernel_.now_ns() - task.ring.front());
	task.ring.pop();
}

Step Workload::finished(Task& task)
{
	const TaskSpec& spec = *task.spec;

	if (spec.program == Program::script)
		return script_.next(task);
	task.unmovable = task.random.chance(spec.unmovable_percent);
	if (task.is_child || spec.program == Program::once) {
		nr_children_ -= task.is_child;
		return {StepKind::exit};
	}
	switch (spec.program) {
	case Program::packets:
		packet_done(task);
		return next_packet(task);
	case Program::forks:
		fork(task);
		[[fallthrough]];
	case Program::sleeper:
		return {StepKind::sleep};
	default:
		return {StepKind::work, kWorkForeverNs};
	}
}

Step Workload::leave(Task& task)
{
	if (task.spec->program == Program::script) {
		const Step step = script_.leave(task);
		if (step.kind != StepKind::sleep)
			return step;
	} else if (task.spec->program == Program::packets) {
		const Step step = next_packet(task);  // the wakeup came before it slept
		if (step.kind == StepKind::work)
			return step;
		await_packets(task);
	} else {
		task.unmovable = false;
		kernel_.events().set(kernel_.now_ns() + length_ns(task, task.spec->sleep_ns), EventKind::wake,
				     task.index, task.generation);
	}
	outcome_.tasks[task.spec_index].nr_sleeps++;
	return {StepKind::sleep};
}

void Workload::on_wake(Task& task)
{
	if (task.place != TaskPlace::asleep)
		return;
	if (task.spec->program == Program::script) {
		script_.time_came(task);
		return;
	}
	if (task.spec->program == Program::packets)
		task.work_left_ns = next_packet(task).work_ns;
	else
		task.work_left_ns =
		    task.spec->program == Program::spin ? kWorkForeverNs : length_ns(task, task.spec->run_ns);
	kernel_.wake(task);
}

void Workload::change_cpus(Task& task)
{
	constexpr u64 kRetryNs = 2 * kMicrosecond;  // a lock is held
	CpuSet cpus;

	for (u32 cpu : task.spec->masks[task.script.mask])
		cpus.add(cpu);
	if (!kernel_.set_cpus(task, cpus))
		kernel_.events().add(kernel_.now_ns() + kRetryNs, EventKind::mask, task.index, task.generation);
}

// What is still in a ring was neither served nor lost: it does not count as offered.
void Workload::finish()
{
	outcome_.nr_unfinished = script_.nr_alive();
	outcome_.ended_ns = script_.is_over() ? kernel_.now_ns() : 0;
	for (Task& task : kernel_.tasks()) {
		if (task.spec->program != Program::packets || task.is_child)
			continue;
		ClassRecord& record = outcome_.classes[record_of(task)];
		admit(task);
		record.nr_dropped += task.ring.nr_lost();
	}
	for (ClassRecord& record : outcome_.classes)
		record.nr_offered = record.nr_dropped + record.packets.count();
}

}  // namespace punctual::sim
