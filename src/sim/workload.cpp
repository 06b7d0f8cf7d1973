// SPDX-License-Identifier: GPL-2.0-only
#include "sim/workload.h"

#include <algorithm>

namespace punctual::sim {
namespace {

constexpr u64 kForever = ~0ULL >> 2;

}  // namespace

void Workload::start()
{
	for (u32 i = 0; i < scenario_.tasks.size(); i++) {
		const TaskSpec& spec = scenario_.tasks[i];
		Task& task = kernel_.create_task(spec, i, ++nr_streams_);
		bool waits_for_packets = spec.program == Program::packets;
		kernel_.events().add(spec.start_ns, waits_for_packets ? EventKind::packets : EventKind::wake,
				     task.index, task.generation);
	}
}

u64 Workload::length_ns(Task& task, u64 mean_ns)
{
	return std::max<u64>(task.spec->varies ? task.random.exponential(mean_ns) : mean_ns, 100);
}

Step Workload::sleep(Task& task)
{
	task.unmovable = false;
	kernel_.events().add(kernel_.now_ns() + length_ns(task, task.spec->sleep_ns), EventKind::wake, task.index,
			     task.generation);
	return {StepKind::sleep};
}

Step Workload::next_packet(Task& task)
{
	if (task.ring.empty())
		return {StepKind::sleep};
	return {StepKind::work, length_ns(task, task.spec->run_ns)};
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

Step Workload::finished(Task& task)
{
	const TaskSpec& spec = *task.spec;

	task.unmovable = task.random.chance(spec.unmovable_percent);
	if (task.is_child || spec.program == Program::once) {
		nr_children_ -= task.is_child;
		return {StepKind::exit};
	}
	switch (spec.program) {
	case Program::packets: {
		size_t record = std::min<size_t>(spec.class_index, scenario_.classes.size());
		outcome_.classes[record].packets.record(kernel_.now_ns() - task.ring.front());
		task.ring.pop_front();
		return next_packet(task);
	}
	case Program::forks:
		fork(task);
		[[fallthrough]];
	case Program::sleeper:
		return sleep(task);
	default:
		return {StepKind::work, kForever};
	}
}

void Workload::on_wake(Task& task)
{
	if (task.place != TaskPlace::asleep)
		return;
	bool endless = task.spec->program == Program::spin;
	task.work_left_ns = endless ? kForever : length_ns(task, task.spec->run_ns);
	kernel_.wake(task);
}

void Workload::on_packets(Task& task)
{
	const NicSpec& nic = task.spec->nic;
	u64 gap_ns = nic.arrivals == Arrivals::poisson ? task.arrivals.exponential(nic.interval_ns) : nic.interval_ns;
	u32 came = nic.arrivals == Arrivals::bursts ? nic.burst : 1;

	kernel_.events().add(kernel_.now_ns() + std::max<u64>(gap_ns, 1), EventKind::packets, task.index,
			     task.generation);
	for (u32 i = 0; i < came; i++) {
		if (task.ring.size() < nic.ring) {
			task.ring.push_back(kernel_.now_ns());
			continue;
		}
		size_t record = std::min<size_t>(task.class_index(), scenario_.classes.size());
		outcome_.classes[record].nr_dropped++;
		outcome_.note(kernel_.now_ns(), TraceKind::dropped, 0, task.index, scenario_.keep_trace);
	}
	if (task.place != TaskPlace::asleep)
		return;
	task.work_left_ns = length_ns(task, task.spec->run_ns);
	kernel_.wake(task);
}

}  // namespace punctual::sim
