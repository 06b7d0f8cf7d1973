// SPDX-License-Identifier: GPL-2.0-only
// The plainest scheduler of all, for comparison: one queue for the machine, first come first served, turns of 20 ms
// (SCX_SLICE_DFL), no preemption and no weights. A task that wakes up takes an idle CPU if there is one.
// Not modelled: the lock of that queue, which would limit a large machine.
#pragma once

#include "sim/kernel.h"

namespace punctual::sim {

class QueueShell final : public Scheduler {
 public:
	explicit QueueShell(Kernel& kernel) : kernel_(kernel) {}

	void init() override { kernel_.create_queue(kQueue); }
	void enable(Task& /*task*/) override {}
	u32 select_cpu(Task& task, u32 prev_cpu) override
	{
		bool is_idle = false;
		return kernel_.select_cpu_default(task, prev_cpu, &is_idle);
	}
	void enqueue(Task& task, u32 /*flags*/) override
	{
		if (!kernel_.current(task.cpu) && kernel_.nr_local(task.cpu) == 0) {
			kernel_.insert_local(task, kSliceNs, 0);
			return;
		}
		kernel_.insert_by_key(task, kQueue, kSliceNs, nr_enqueued_++);
		const u32 idle = kernel_.pick_idle_cpu(task.cpus);
		if (idle != CpuSet::kNone)
			kernel_.kick(idle, kKickIdle);
	}
	void dispatch(u32 cpu, Task* /*prev*/) override { kernel_.move_to_local(cpu, kQueue); }
	void running(Task& /*task*/) override {}
	void tick(Task& /*task*/) override {}
	void update_idle(u32 /*cpu*/, bool /*idle*/) override {}
	void timer_fired(u32 /*cpu*/) override {}

 private:
	static constexpr u32 kQueue = 0;
	static constexpr u64 kSliceNs = 20 * kMillisecond;

	Kernel& kernel_;
	u64 nr_enqueued_ = 0;
};

}  // namespace punctual::sim
