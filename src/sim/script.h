// SPDX-License-Identifier: GPL-2.0-only
// Tasks that do one step after the other (ScriptStep in scenario.h): they run, sleep, wait for each other, wake each
// other. Loads of rt-app and recorded traces are such scripts.
//
// A step that is not run, sleep or wait takes no time of its own; a task that does nothing else is charged kIdlingNs
// for every kStepsAtOnceMax of them, so that time goes on. Owns the mutexes, conditions, barriers, timers and
// remembered wakeups. One thread.
#pragma once

#include <deque>

#include "sim/kernel.h"

namespace punctual::sim {

enum class StepKind : u8 { work, sleep, exit, yield };

struct Step {
	StepKind kind;
	u64 work_ns = 0;
};

class ScriptRunner {
 public:
	static constexpr u32 kStepsAtOnceMax = 64;
	static constexpr u64 kIdlingNs = 10 * kMicrosecond;
	static constexpr u32 kForkedMax = 2000;  // alive at a time; a fork beyond that is none

	ScriptRunner(const Scenario& scenario, Kernel& kernel);

	Step next(Task& task);       // it has run, or begins: until it runs again, waits, or has come to its end
	Step leave(Task& task);      // it is about to sleep, unless what it waits for has come meanwhile
	void time_came(Task& task);  // its sleep is over. REQUIRES: it sleeps
	u64 nr_alive() const { return nr_alive_; }  // have begun or will, and have not ended
	bool is_over() const { return nr_begun_ && !nr_alive_; }

 private:
	// One struct for all kinds: each uses a part of it.
	struct Object {
		Task* owner = nullptr;
		u32 depth = 0;
		std::deque<Task*> waiting;
		u64 number = 0;  // who met so far; wakeups that nobody took yet
		u64 next_ns = 0;
		bool is_set = false;
	};

	bool do_step(Task& task, const ScriptStep& step);  // false: it waits now
	bool wait_until(Task& task, u64 until_ns);
	bool sleep_to_timer(Task& task, const ScriptStep& step);
	bool lock(Task& task, u32 mutex);
	void unlock(Task& task, u32 mutex);
	bool wait(Task& task, const ScriptStep& step);
	void wake_first(Object& condition);
	bool meet(Task& task, const ScriptStep& step);
	void post(Object& object);
	void again(Task& task, const ScriptStep& step) const;
	void fork(u32 spec_index);
	void end_wait(Task& task);  // at once, or as soon as it has the mutex again

	const Scenario& scenario_;
	Kernel& kernel_;
	std::vector<Object> objects_;
	u64 nr_alive_ = 0;
	u64 nr_forked_ = 0;
	u64 nr_begun_ = 0;
};

}  // namespace punctual::sim
