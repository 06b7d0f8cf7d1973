// SPDX-License-Identifier: GPL-2.0-only
#include "sim/fair_shell.h"

#include <algorithm>
#include <bit>

namespace punctual::sim {
namespace {

constexpr u64 kBaseSliceNs = 700 * kMicrosecond;
constexpr u32 kScalingCpusMax = 8;
constexpr u64 kNoEnd = kWorkForeverNs;  // a slice ends when update_curr() says so
constexpr u64 kSharesMin = 2;           // MIN_SHARES
constexpr u32 kGroupDepthMax = 32;

u32 fair_queue(u32 cpu)
{
	return cpu;
}

u32 realtime_queue(u32 cpu)
{
	return CPUS_MAX + cpu;
}

u64 load_of_weight(u32 weight)
{
	return std::max<u64>(kSharesMin, weight * kNiceZeroLoad / 100);
}

}  // namespace

u64 FairShell::base_slice_ns(u32 nr_cpus)
{
	return kBaseSliceNs * static_cast<u64>(std::bit_width(std::min(nr_cpus, kScalingCpusMax)));
}

FairShell::FairShell(const Scenario& scenario, Kernel& kernel)
    : scenario_(scenario), kernel_(kernel), limits_({base_slice_ns(kernel.nr_cpus()), kSecond / scenario.machine.hz})
{}

void FairShell::init()
{
	const u32 nr_cpus = kernel_.nr_cpus();

	states_.clear();
	cpus_.assign(nr_cpus, CpuState());
	groups_.assign(scenario_.groups.size() * nr_cpus, GroupOnCpu());
	group_loads_.assign(scenario_.groups.size(), 0);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		kernel_.clear_idle(cpu);
		kernel_.create_queue(fair_queue(cpu));
		kernel_.create_queue(realtime_queue(cpu));
		for (u32 group = 0; group < scenario_.groups.size(); group++) {
			GroupOnCpu& here = group_on(group, cpu);
			here.entity.below = &here.queue;
			here.entity.task = group;
			here.queue.owner = &here.entity;
			here.entity.queue = &queue_of(scenario_.groups[group].parent, cpu);
		}
	}
}

void FairShell::enable(Task& task)
{
	while (states_.size() <= task.index)
		states_.emplace_back();
	TaskState& state = states_[task.index] = TaskState();
	state.entity.load = load_of_weight(task.spec->weight);
	state.entity.task = task.index;
	state.entity.exec_ns_seen = task.sum_exec_ns;
	state.is_realtime = scenario_.policy == PolicyKind::realtime && task.class_index() != kNoClass;
}

FairQueue& FairShell::queue_of(u32 group, u32 cpu)
{
	return group == kRootGroup ? cpus_[cpu].root : group_on(group, cpu).queue;
}

// Charges who runs, up to the top. True: it has to be chosen again.
bool FairShell::update_curr(u32 cpu)
{
	CpuState& state = cpus_[cpu];
	bool is_over = false;

	kernel_.settle(cpu);
	if (!state.curr || state_of(*state.curr).is_realtime)
		return false;
	FairEntity* entity = &state_of(*state.curr).entity;
	const u64 ran_ns = state.curr->sum_exec_ns - entity->exec_ns_seen;
	entity->exec_ns_seen = state.curr->sum_exec_ns;
	for (; entity && entity->queue; entity = entity->queue->owner)
		is_over |= entity->queue->update_curr(ran_ns, limits_);
	return is_over;
}

// A group weighs on a CPU what its tasks there are of all of its tasks: calc_group_shares().
void FairShell::set_shares(u32 group, u32 cpu)
{
	for (u32 depth = 0; group != kRootGroup && depth < kGroupDepthMax; depth++) {
		GroupOnCpu& here = group_on(group, cpu);
		const u64 load = here.queue.load();
		group_loads_[group] += load - here.load;
		here.load = load;
		const u64 shares =
		    load_of_weight(scenario_.groups[group].weight) * load / std::max<u64>(group_loads_[group], 1);
		if (load)
			queue_of(scenario_.groups[group].parent, cpu)
			    .reweight(here.entity, std::max<u64>(shares, kSharesMin));
		group = scenario_.groups[group].parent;
	}
}

// enqueue_task_fair()
void FairShell::enter(Task& task, TaskState& state)
{
	const u32 cpu = task.cpu;

	state.cpu = cpu;
	if (!state.entity.on_queue)
		state.group = task.group;
	u32 group = state.group;
	state.entity.exec_ns_seen = task.sum_exec_ns;
	for (FairEntity* entity = &state.entity;;) {
		FairQueue& queue = queue_of(group, cpu);
		if (entity->on_queue) {
			if (entity->is_delayed)
				queue.requeue_delayed(*entity, limits_);
			break;
		}
		queue.place(*entity, state.is_new && entity == &state.entity, limits_);
		queue.enqueue(*entity);
		if (group == kRootGroup)
			break;
		entity = &group_on(group, cpu).entity;
		group = scenario_.groups[group].parent;
	}
	state.is_new = false;
	set_shares(state.group, cpu);
}

// dequeue_entities(): a group goes when its last entity does.
void FairShell::leave(FairEntity& first, u32 group, u32 cpu, bool sleeps, bool may_delay)
{
	const u32 lowest = group;

	if (!first.on_queue)
		return;
	for (FairEntity* entity = &first;;) {
		FairQueue& queue = queue_of(group, cpu);
		if (!queue.dequeue(*entity, sleeps, may_delay, limits_) || queue.nr_queued() || group == kRootGroup)
			break;
		entity = &group_on(group, cpu).entity;
		group = scenario_.groups[group].parent;
	}
	set_shares(lowest, cpu);
}

// check_preempt_wakeup_fair(): where the two meet, the woken one would be chosen.
bool FairShell::would_preempt(const FairEntity* woken, u32 cpu) const
{
	for (u32 depth = 0; woken && woken->queue && depth < kGroupDepthMax; depth++) {
		const FairQueue& queue = *woken->queue;
		if (queue.curr || !queue.owner)
			return queue.pick(true) == woken && woken != queue.curr;
		woken = queue.owner;
	}
	return !cpus_[cpu].curr;
}

void FairShell::enqueue(Task& task, u32 flags)
{
	TaskState& state = state_of(task);
	const bool is_waking = (flags & kEnqueueWakeup) || state.is_new;

	if (state.is_realtime) {
		enqueue_realtime(task);
		return;
	}
	const bool is_over = update_curr(task.cpu);
	if (!state.entity.on_queue || state.entity.is_delayed)
		enter(task, state);
	kernel_.insert_by_key(task, fair_queue(task.cpu), kNoEnd, nr_queued_++);
	waiting_.add(task.cpu);
	if (!cpus_[task.cpu].curr || state_of(*cpus_[task.cpu].curr).is_realtime)
		return;
	if (is_over || (is_waking && would_preempt(&state.entity, task.cpu)))
		kernel_.resched_curr(task.cpu);
}

u32 FairShell::group_of(const FairEntity& entity) const
{
	return entity.below ? scenario_.groups[entity.task].parent : states_[entity.task].group;
}

// pick_next_entity(), down to a task. Whom it meets asleep on the way leaves now; each time one does, so it ends.
Task* FairShell::pick(u32 cpu)
{
	for (FairEntity* entity = cpus_[cpu].root.pick(true); entity;) {
		if (entity->is_delayed) {
			leave(*entity, group_of(*entity), cpu, true, true);
			entity = cpus_[cpu].root.pick(true);
		} else if (entity->below) {
			entity = entity->below->pick(true);
		} else {
			return &kernel_.tasks()[entity->task];
		}
	}
	return nullptr;
}

void FairShell::dispatch(u32 cpu, Task* prev)
{
	if (prev && state_of(*prev).is_realtime) {
		prev->slice_ns = kNoEnd;
		return;
	}
	if (take_realtime(cpu))
		return;
	update_curr(cpu);
	Task* next = pick(cpu);
	if (next && next == prev) {
		prev->slice_ns = kNoEnd;
	} else if (next) {
		kernel_.take(*next, cpu);
		if (kernel_.queued(fair_queue(cpu)).empty() && !prev)
			waiting_.remove(cpu);
	} else if (!pull(cpu)) {
		waiting_.remove(cpu);
	}
}

void FairShell::running(Task& task)
{
	TaskState& state = state_of(task);

	cpus_[task.cpu].curr = &task;
	if (state.is_realtime) {
		realtime_runs_.add(task.cpu);
		return;
	}
	if (!state.entity.on_queue)  // it ran when the scheduler was loaded
		enter(task, state);
	state.entity.exec_ns_seen = task.sum_exec_ns;
	for (FairEntity* entity = &state.entity; entity && entity->queue; entity = entity->queue->owner)
		if (entity->queue->curr != entity)
			entity->queue->set_curr(entity);
}

void FairShell::stopping(Task& task, bool runnable)
{
	TaskState& state = state_of(task);
	const u32 cpu = task.cpu;

	if (!state.is_realtime) {
		update_curr(cpu);
		for (FairEntity* entity = &state.entity; entity && entity->queue; entity = entity->queue->owner)
			entity->queue->curr = nullptr;
		if (!runnable)
			leave(state.entity, state.group, cpu, true, task.place != TaskPlace::dead);
	}
	realtime_runs_.remove(cpu);
	cpus_[cpu].curr = nullptr;
}

void FairShell::dequeue(Task& task)
{
	TaskState& state = state_of(task);

	if (state.entity.on_queue)
		leave(state.entity, state.group, state.cpu, false, false);
}

void FairShell::tick(Task& task)
{
	if (state_of(task).is_realtime)
		return;
	if (update_curr(task.cpu))
		task.slice_ns = 0;
	balance(task.cpu);
}

void FairShell::update_idle(u32 cpu, bool idle)
{
	if (!idle)
		kernel_.clear_idle(cpu);
}

// select_idle_sibling(), from the previous CPU. Who is still queued, delayed, wakes up where it is.
u32 FairShell::select_cpu(Task& task, u32 prev_cpu)
{
	const TaskState& state = state_of(task);

	if (state.is_realtime)
		return select_cpu_realtime(task, prev_cpu);
	if (state.entity.on_queue && task.cpus.has(state.cpu))
		return state.cpu;
	if (state.entity.on_queue)
		dequeue(task);
	const u32 idle = kernel_.find_idle(task.cpus, prev_cpu, false);
	if (idle == CpuSet::kNone)
		return prev_cpu;
	kernel_.clear_idle(idle);
	return idle;
}

// ---- between CPUs ----

// A CPU that has nothing takes from one that has somebody who waits: near ones first.
bool FairShell::pull(u32 cpu)
{
	const CpuSet* const near[] = {&kernel_.cpus_of_llc(kernel_.llc_of(cpu)),
				      &kernel_.cpus_of_node(kernel_.node_of(cpu)), &kernel_.online()};

	for (const CpuSet* cpus : near) {
		CpuSet busy = waiting_ & *cpus;
		for (u32 tries = 0; tries < 4; tries++) {  // those whose tasks may not come here are few
			const u32 other = busy.lowest();
			if (other == CpuSet::kNone)
				break;
			busy.remove(other);
			if (other != cpu && pull_from(cpu, other))
				return true;
		}
	}
	return false;
}

bool FairShell::pull_from(u32 cpu, u32 other)
{
	if (!cpus_[other].curr) {
		if (kernel_.queued(fair_queue(other)).empty())
			waiting_.remove(other);
		return false;  // it is about to take it itself
	}
	for (Task* task : kernel_.queued(fair_queue(other))) {
		if (!task->may_run_on(cpu))
			continue;
		update_curr(other);
		dequeue(*task);
		kernel_.take(*task, cpu);
		enter(*task, state_of(*task));
		if (kernel_.queued(fair_queue(other)).empty())
			waiting_.remove(other);
		return true;
	}
	if (kernel_.queued(fair_queue(other)).empty())
		waiting_.remove(other);
	return false;
}

// Now and then a busy CPU takes one from the longest queue of its cache, if that is longer by two. Larger caches are
// looked at less often, so that a tick costs the same.
void FairShell::balance(u32 cpu)
{
	CpuSet cpus = waiting_ & kernel_.cpus_of_llc(kernel_.llc_of(cpu));
	const u32 nr_cpus = kernel_.cpus_of_llc(kernel_.llc_of(cpu)).count();
	size_t longest = kernel_.queued(fair_queue(cpu)).size() + 1;
	u32 busiest = CpuSet::kNone;

	if (nr_cpus == 1 || ++cpus_[cpu].nr_ticks % std::max(2U, nr_cpus / 4))
		return;
	for (u32 other = cpus.lowest(); other != CpuSet::kNone; other = cpus.lowest()) {
		cpus.remove(other);
		if (kernel_.queued(fair_queue(other)).size() > longest) {
			longest = kernel_.queued(fair_queue(other)).size();
			busiest = other;
		}
	}
	if (busiest == CpuSet::kNone)
		return;
	for (Task* task : kernel_.queued(fair_queue(busiest))) {
		if (!task->may_run_on(cpu))
			continue;
		update_curr(busiest);
		dequeue(*task);
		kernel_.requeue(*task, cpu);  // comes back by enqueue()
		return;
	}
}

// ---- SCHED_FIFO ----

void FairShell::enqueue_realtime(Task& task)
{
	const Task* curr = cpus_[task.cpu].curr;

	kernel_.insert_by_key(task, realtime_queue(task.cpu), kNoEnd, nr_queued_++);
	realtime_waits_.add(task.cpu);
	if (curr && !states_[curr->index].is_realtime)
		kernel_.resched_curr(task.cpu);
}

// Its own first, else one that waits behind another real-time task.
bool FairShell::take_realtime(u32 cpu)
{
	CpuSet cpus = realtime_waits_;

	for (u32 other = cpus.has(cpu) ? cpu : cpus.lowest(); other != CpuSet::kNone; other = cpus.lowest()) {
		cpus.remove(other);
		for (Task* task : kernel_.queued(realtime_queue(other))) {
			if (!task->may_run_on(cpu) || (other != cpu && !realtime_runs_.has(other)))
				continue;
			kernel_.take(*task, cpu);
			if (kernel_.queued(realtime_queue(other)).empty())
				realtime_waits_.remove(other);
			return true;
		}
		if (kernel_.queued(realtime_queue(other)).empty())
			realtime_waits_.remove(other);
	}
	return false;
}

// It stays, unless a real-time task runs there: then an idle CPU, else one that runs none.
u32 FairShell::select_cpu_realtime(Task& task, u32 prev_cpu) const
{
	if (!realtime_runs_.has(prev_cpu) && !realtime_waits_.has(prev_cpu))
		return prev_cpu;
	if (const u32 idle = kernel_.find_idle(task.cpus, prev_cpu, true); idle != CpuSet::kNone) {
		kernel_.clear_idle(idle);
		return idle;
	}
	CpuSet free = task.cpus & kernel_.online();
	free.remove(realtime_runs_);
	free.remove(realtime_waits_);
	for (const CpuSet* cpus : {&kernel_.cpus_of_llc(kernel_.llc_of(prev_cpu)), &kernel_.online()})
		if (const u32 cpu = (free & *cpus).lowest(); cpu != CpuSet::kNone)
			return cpu;
	return prev_cpu;
}

}  // namespace punctual::sim
