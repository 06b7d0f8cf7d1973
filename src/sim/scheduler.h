// SPDX-License-Identifier: GPL-2.0-only
// The callbacks of a sched_ext scheduler, as struct sched_ext_ops has them. The simulated kernel calls them
// when the real one would; implementations call back into Kernel.
#pragma once

#include "sim/task.h"

namespace punctual::sim {

constexpr u32 kEnqueueWakeup = 1;   // SCX_ENQ_WAKEUP
constexpr u32 kEnqueueHead = 2;     // SCX_ENQ_HEAD
constexpr u32 kEnqueuePreempt = 4;  // SCX_ENQ_PREEMPT
constexpr u32 kKickIdle = 1;        // SCX_KICK_IDLE
constexpr u32 kKickPreempt = 2;     // SCX_KICK_PREEMPT
constexpr u32 kKickHere = 4;        // by the CPU itself

class Scheduler {
 public:
	Scheduler() = default;
	Scheduler(const Scheduler&) = delete;
	Scheduler& operator=(const Scheduler&) = delete;
	virtual ~Scheduler() = default;

	virtual void init() = 0;  // nothing is left of an earlier load
	virtual void enable(Task& task) = 0;
	virtual u32 select_cpu(Task& task, u32 prev_cpu) = 0;
	virtual void enqueue(Task& task, u32 flags) = 0;
	virtual void dispatch(u32 cpu, Task* prev) = 0;  // prev: what ran and would go on; none: nothing
	virtual void running(Task& task) = 0;
	virtual void tick(Task& task) = 0;
	virtual void update_idle(u32 cpu, bool idle) = 0;
	virtual void timer_fired(u32 cpu) = 0;
	// Not of sched_ext's minimum; who needs them overrides them.
	virtual void stopping(Task& /*task*/, bool /*runnable*/) {}  // it leaves its CPU, to wait or to sleep
	virtual void dequeue(Task& /*task*/) {}                      // the kernel took it from its queue
	virtual void windows_end() {}                                // every FEASIBLE_WINDOW_NS
};

}  // namespace punctual::sim
