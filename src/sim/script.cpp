// SPDX-License-Identifier: GPL-2.0-only
#include "sim/script.h"

#include <algorithm>

namespace punctual::sim {
namespace {

constexpr u64 kForkStreams = 1ULL << 40;  // of random numbers: far from those of the scenario's own tasks

u32 nr_objects(const Scenario& scenario)
{
	u32 number = 0;
	for (const TaskSpec& spec : scenario.tasks)
		for (const ScriptStep& step : spec.script) {
			const bool is_object = step.op != ScriptOp::again && step.op != ScriptOp::set_cpus &&
					       step.op != ScriptOp::fork && step.object != kNoObject;
			number = is_object ? std::max(number, step.object + 1) : number;
			if (step.op == ScriptOp::wait && step.value < kNoObject)
				number = std::max(number, static_cast<u32>(step.value) + 1);
		}
	return number;
}

}  // namespace

ScriptRunner::ScriptRunner(const Scenario& scenario, Kernel& kernel)
    : scenario_(scenario), kernel_(kernel), objects_(nr_objects(scenario))
{
	for (const TaskSpec& spec : scenario.tasks)
		nr_alive_ += spec.program == Program::script && !spec.is_forked;
	nr_begun_ = nr_alive_;
}

Step ScriptRunner::next(Task& task)
{
	ScriptState& state = task.script;
	const std::vector<ScriptStep>& script = task.spec->script;

	if (!state.next && !state.begun_ns)
		state.begun_ns = kernel_.now_ns();
	for (u32 i = 0; i < kStepsAtOnceMax; i++) {
		if (state.next >= script.size()) {
			nr_alive_--;
			nr_forked_ -= task.spec->is_forked;
			return {StepKind::exit};
		}
		const ScriptStep& step = script[state.next++];
		if (step.op == ScriptOp::run && step.value)
			return {StepKind::work, step.value};
		if (step.op == ScriptOp::yield)
			return {StepKind::yield};
		if (!do_step(task, step)) {
			state.is_waiting = true;
			return {StepKind::sleep};
		}
	}
	return {StepKind::work, kIdlingNs};
}

bool ScriptRunner::do_step(Task& task, const ScriptStep& step)
{
	switch (step.op) {
	case ScriptOp::sleep:
		return wait_until(task, kernel_.now_ns() + step.value);
	case ScriptOp::sleep_until:
		return wait_until(task, step.value);
	case ScriptOp::timer:
	case ScriptOp::timer_fixed:
		return sleep_to_timer(task, step);
	case ScriptOp::lock:
		return lock(task, step.object);
	case ScriptOp::unlock:
		unlock(task, step.object);
		return true;
	case ScriptOp::wait:
		return wait(task, step);
	case ScriptOp::wakes:
		for (size_t i = objects_[step.object].waiting.size(); i > 0; i--)
			wake_first(objects_[step.object]);
		return true;
	case ScriptOp::wake:
		wake_first(objects_[step.object]);
		return true;
	case ScriptOp::meet:
		return meet(task, step);
	case ScriptOp::post:
		post(objects_[step.object]);
		return true;
	case ScriptOp::take:
		if (objects_[step.object].number) {
			objects_[step.object].number--;
			return true;
		}
		objects_[step.object].waiting.push_back(&task);
		return false;
	case ScriptOp::again:
		again(task, step);
		return true;
	case ScriptOp::set_cpus:
		task.script.mask = step.object;
		kernel_.events().add(kernel_.now_ns(), EventKind::mask, task.index, task.generation);
		return true;
	case ScriptOp::fork:
		fork(step.object);
		return true;
	default:  // run of nothing
		return true;
	}
}

// ---- the clock ----

bool ScriptRunner::wait_until(Task& task, u64 until_ns)
{
	if (until_ns <= kernel_.now_ns())
		return true;
	task.script.until_ns = until_ns;
	return false;
}

// As rt-app counts it: from where the timer was to go off, or, unless it is fixed, from now when that is past.
bool ScriptRunner::sleep_to_timer(Task& task, const ScriptStep& step)
{
	Object& timer = objects_[step.object];

	if (!timer.is_set)
		timer.next_ns = task.script.begun_ns;
	timer.is_set = true;
	timer.next_ns += step.value;
	if (timer.next_ns > kernel_.now_ns())
		return wait_until(task, timer.next_ns);
	if (step.op == ScriptOp::timer)
		timer.next_ns = kernel_.now_ns();
	return true;
}

Step ScriptRunner::leave(Task& task)
{
	ScriptState& state = task.script;

	if (state.is_waiting && state.until_ns <= kernel_.now_ns())
		state.is_waiting = false;
	if (!state.is_waiting) {
		state.until_ns = ~0ULL;
		return next(task);
	}
	if (state.until_ns != ~0ULL)
		kernel_.events().set(state.until_ns, EventKind::wake, task.index, task.generation);
	return {StepKind::sleep};
}

void ScriptRunner::time_came(Task& task)
{
	task.script.is_waiting = false;
	task.script.until_ns = ~0ULL;
	task.work_left_ns = 0;
	kernel_.wake(task);
}

// ---- each other ----

void ScriptRunner::end_wait(Task& task)
{
	ScriptState& state = task.script;

	if (state.retake != kNoObject) {
		const u32 mutex = std::exchange(state.retake, kNoObject);
		if (!lock(task, mutex))
			return;
	}
	state.is_waiting = false;
	if (task.place != TaskPlace::asleep)
		return;  // on its way to sleep: leave() sees it
	task.work_left_ns = 0;
	kernel_.wake(task);
}

bool ScriptRunner::lock(Task& task, u32 mutex)
{
	Object& object = objects_[mutex];

	if (object.owner && object.owner != &task) {
		object.waiting.push_back(&task);
		return false;
	}
	object.owner = &task;
	object.depth++;
	return true;
}

void ScriptRunner::unlock(Task& task, u32 mutex)
{
	Object& object = objects_[mutex];

	if (object.owner != &task || --object.depth)
		return;
	object.owner = nullptr;
	if (object.waiting.empty())
		return;
	Task& next = *object.waiting.front();
	object.waiting.pop_front();
	object.owner = &next;
	object.depth = 1;
	end_wait(next);
}

bool ScriptRunner::wait(Task& task, const ScriptStep& step)
{
	const auto mutex = static_cast<u32>(step.value);

	objects_[step.object].waiting.push_back(&task);
	if (mutex != kNoObject && objects_[mutex].owner == &task) {
		task.script.retake = mutex;
		objects_[mutex].depth = 1;
		unlock(task, mutex);
	}
	return false;
}

void ScriptRunner::wake_first(Object& condition)
{
	if (condition.waiting.empty())
		return;
	Task& first = *condition.waiting.front();
	condition.waiting.pop_front();
	end_wait(first);
}

bool ScriptRunner::meet(Task& task, const ScriptStep& step)
{
	Object& barrier = objects_[step.object];

	if (++barrier.number < step.value) {
		barrier.waiting.push_back(&task);
		return false;
	}
	barrier.number = 0;
	for (size_t i = barrier.waiting.size(); i > 0; i--)
		wake_first(barrier);
	return true;
}

void ScriptRunner::post(Object& object)
{
	if (object.waiting.empty())
		object.number++;
	else
		wake_first(object);
}

// ---- the script itself ----

void ScriptRunner::again(Task& task, const ScriptStep& step) const
{
	u64& times = task.script.times[step.slot];

	if (step.value != kForever && ++times >= step.value)
		times = 0;
	else
		task.script.next = step.object;
}

void ScriptRunner::fork(u32 spec_index)
{
	if (nr_forked_ >= kForkedMax)
		return;
	nr_forked_++;
	nr_alive_++;
	Task& child = kernel_.create_task(scenario_.tasks[spec_index], spec_index, kForkStreams + nr_begun_++);
	child.work_left_ns = 0;
	kernel_.wake(child, true);
}

}  // namespace punctual::sim
