// SPDX-License-Identifier: GPL-2.0-only
#include "sim/audit.h"

#include <algorithm>

namespace punctual::sim {
namespace {

// Keys give the last bit away to tell the class.
u64 order_of_key(u64 key)
{
	return key >> 1;
}

}  // namespace

Audit::Audit(const Scenario& scenario, const Kernel& kernel, const LatencyShell& shell, Outcome& outcome)
    : scenario_(scenario), kernel_(kernel), shell_(shell), outcome_(outcome)
{}

void Audit::broken(const char* invariant, const std::string& what)
{
	if (outcome_.broken.size() < Outcome::kBrokenMax)
		outcome_.broken.push_back(fmt::format("{} at {} ns: {}", invariant, kernel_.now_ns(), what));
}

void Audit::on_place(const Task& task, TaskPlace to)
{
	bool was_queued = task.place == TaskPlace::local || task.place == TaskPlace::queued;
	bool is_queued = to == TaskPlace::local || to == TaskPlace::queued;

	if (task.place == TaskPlace::dead || (was_queued && is_queued && task.place == to))
		broken("I8", fmt::format("task {} goes from place {} to {}", task.index, static_cast<int>(task.place),
					 static_cast<int>(to)));
	if (task.place == TaskPlace::queued && is_latency_dsq(task.queue))
		deadlines_[task.queue].erase({order_of_key(task.key), task.index});
	if (to == TaskPlace::queued && is_latency_dsq(task.queue))
		deadlines_[task.queue].insert({order_of_key(task.key), task.index});
}

void Audit::on_enqueued(const Task& task)
{
	if (task.place == TaskPlace::placing)
		broken("I8", fmt::format("task {} was enqueued and is nowhere", task.index));
}

const Task* Audit::earliest(u32 cpu, u32 queue) const
{
	auto deadlines = deadlines_.find(queue);

	if (deadlines == deadlines_.end())
		return nullptr;
	for (auto [deadline, index] : deadlines->second)
		if (kernel_.tasks()[index].may_run_on(cpu))
			return &kernel_.tasks()[index];
	return nullptr;
}

// Its last safe moment, with the shortest reserve that there is, has not come.
bool Audit::may_gather_packets(const Task& task) const
{
	const u64 due_ns = kernel_.now_ns() + scenario_.latency.switch_ns + scenario_.latency.slack_min_ns;

	return is_claim_of_a_class(task.key) && deadline_of_key(task.key) > due_ns;
}

void Audit::on_dispatch(u32 cpu, const Task& task)
{
	bool by_deadline = is_latency_dsq(task.queue);

	if (shell_.serves_floor())
		return;
	const Task* first = earliest(cpu, dsq_id(DsqKind::latency_cpu, cpu));
	const Task* shared = earliest(cpu, dsq_id(DsqKind::latency_llc, kernel_.llc_of(cpu)));
	if (shared && shell_.in_scope(cpu) && (!first || order_of_key(shared->key) < order_of_key(first->key)))
		first = shared;
	if (!first || first == &task || may_gather_packets(*first))
		return;
	if (!by_deadline)
		broken("I2", fmt::format("CPU {} takes normal task {} although budgeted task {} waits", cpu, task.index,
					 first->index));
	else if (order_of_key(first->key) < order_of_key(task.key))
		broken("I2", fmt::format("CPU {} takes task {} (deadline {}) before task {} ({})", cpu, task.index,
					 task.key, first->index, first->key));
}

void Audit::on_ejected()
{
	if (kernel_.is_attached())
		return;  // the CPU was in that state before
	for (const Task& task : kernel_.tasks())
		if (task.place == TaskPlace::local || task.place == TaskPlace::queued)
			broken("I13", fmt::format("task {} is still on a queue of the scheduler", task.index));
}

// Large machines are looked at less often.
u64 Audit::sample_ns() const
{
	return kSampleNs * std::max(1U, kernel_.nr_cpus() / 32);
}

void Audit::sample()
{
	for (const Cpu& cpu : kernel_.cpus())
		if (cpu.online && !cpu.curr)
			check_idle_cpu(cpu);
	check_polled();
	if (nr_samples_++ % 16 == 0)
		check_places();
}

void Audit::check_idle_cpu(const Cpu& cpu)
{
	u64 now_ns = kernel_.now_ns();
	bool is_long = now_ns - cpu.idle_since_ns > kIdleNsMax;

	if (is_long && !cpu.locked && !kernel_.has_idle_bit(cpu.index) && now_ns - cpu.claimed_ns > kIdleNsMax)
		broken("I6", fmt::format("CPU {} was claimed and is neither used nor given back", cpu.index));
	if (!is_long)
		return;
	for (u32 queue : {dsq_id(DsqKind::latency_cpu, cpu.index), dsq_id(DsqKind::latency_llc, cpu.llc),
			  dsq_id(DsqKind::normal_cpu, cpu.index), dsq_id(DsqKind::normal_llc, cpu.llc)})
		for (const Task* task : kernel_.queued(queue))
			if (now_ns - task->placed_ns > kIdleNsMax && task->may_run_on(cpu.index) &&
			    (queue != dsq_id(DsqKind::latency_llc, cpu.llc) || shell_.in_scope(cpu.index)))
				broken("I1", fmt::format("CPU {} idles while task {} waits in its cache", cpu.index,
							 task->index));
	for (const Task* task : cpu.local)
		if (now_ns - task->placed_ns > kIdleNsMax)
			broken("I1",
			       fmt::format("CPU {} idles while task {} is on its own queue", cpu.index, task->index));
}

// A CPU comes to ops.dispatch when a turn ends, and then looks at the normal queues as often as the floor says.
void Audit::check_polled()
{
	u64 limit_ns = 4 * (scenario_.latency.slice_ns + 2 * kSecond / scenario_.machine.hz) + scenario_.reload_ns;

	if (!kernel_.is_attached())
		return;
	for (u32 kind = 0; kind < kDsqKinds; kind++)
		for (u32 i = 0; i < kernel_.nr_cpus(); i++) {
			const DispatchQueue& queue = kernel_.queues()[dsq_id(static_cast<DsqKind>(kind), i)];
			if (queue.tasks().empty())
				continue;
			if (kernel_.now_ns() - std::max(queue.polled_ns, queue.tasks().front()->placed_ns) > limit_ns)
				broken("I7", fmt::format("queue {}/{} with task {} is not polled", kind, i,
							 queue.tasks().front()->index));
		}
}

void Audit::check_places()
{
	std::vector<u32> found(kernel_.tasks().size());

	for (u32 kind = 0; kind < kDsqKinds; kind++)
		for (u32 i = 0; i < kernel_.nr_cpus(); i++)
			for (const Task* task : kernel_.queued(dsq_id(static_cast<DsqKind>(kind), i)))
				found[task->index] += task->place == TaskPlace::queued ? 1 : 2;
	for (const Task* task : kernel_.fallback())
		found[task->index] += task->place == TaskPlace::fallback ? 1 : 2;
	for (const Cpu& cpu : kernel_.cpus()) {
		for (const Task* task : cpu.local)
			found[task->index] += task->place == TaskPlace::local && task->cpu == cpu.index ? 1 : 2;
		for (const PendingWake& wake : cpu.pending)
			found[wake.task->index] += wake.task->place == TaskPlace::waking ? 1 : 2;
		if (cpu.curr)
			found[cpu.curr->index] += cpu.curr->place == TaskPlace::running ? 1 : 2;
	}
	for (const Task& task : kernel_.tasks()) {
		u32 expected = task.place != TaskPlace::asleep && task.place != TaskPlace::dead;
		if (found[task.index] != expected)
			broken("I8", fmt::format("task {} is said to be in place {} and found {} times", task.index,
						 static_cast<int>(task.place), found[task.index]));
	}
}

}  // namespace punctual::sim
