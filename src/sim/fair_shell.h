// SPDX-License-Identifier: GPL-2.0-only
// The kernel's own schedulers for the simulated kernel: EEVDF (eevdf.h) on each CPU, and above it SCHED_FIFO for the
// tasks of classes where the policy is PolicyKind::realtime. As kernel 6.18 with its default features; before 7.1 there
// is no high-resolution tick.
//
// Modelled: cgroup weights and hierarchy with shares by what runs on each CPU, sleepers that stay queued until their
// lag is 0, idle CPUs that pull (cache, node, machine), a balance within the cache at ticks, SCHED_FIFO's push to a CPU
// without a real-time task and its pull. Not modelled: other requests than the base slice (sched_setattr), nice below a
// group's weight in steps of the kernel's table (weights are linear, as cpu.weight), wakeups that prefer the waker's
// CPU (wake_affine), weights of groups that change meanwhile, cache-hot tasks that are not pulled, utilisation and load
// averages (a balance counts tasks), NUMA balancing, cpu.max, cpu.idle, core scheduling, throttling of SCHED_FIFO and
// the fair server that limits it.
#pragma once

#include <deque>
#include <vector>

#include "sim/eevdf.h"
#include "sim/kernel.h"

namespace punctual::sim {

class FairShell final : public Scheduler {
 public:
	// sysctl_sched_base_slice: 0.7 ms, times 1 + log2 of the CPUs, of which eight at most count.
	static u64 base_slice_ns(u32 nr_cpus);

	FairShell(const Scenario& scenario, Kernel& kernel);

	void init() override;
	void enable(Task& task) override;
	u32 select_cpu(Task& task, u32 prev_cpu) override;
	void enqueue(Task& task, u32 flags) override;
	void dispatch(u32 cpu, Task* prev) override;
	void running(Task& task) override;
	void stopping(Task& task, bool runnable) override;
	void dequeue(Task& task) override;
	void tick(Task& task) override;
	void update_idle(u32 cpu, bool idle) override;
	void timer_fired(u32 /*cpu*/) override {}

 private:
	struct TaskState {
		FairEntity entity;
		u32 cpu = 0;             // whose queue it is on,
		u32 group = kRootGroup;  // and of which group: the task may have gone to another meanwhile
		bool is_realtime = false;
		bool is_new = true;
	};
	struct CpuState {
		FairQueue root;
		Task* curr = nullptr;
		u32 nr_ticks = 0;
	};
	struct GroupOnCpu {
		FairQueue queue;
		FairEntity entity;
		u64 load = 0;  // as it is in the group's sum
	};

	TaskState& state_of(const Task& task) { return states_[task.index]; }
	FairQueue& queue_of(u32 group, u32 cpu);
	GroupOnCpu& group_on(u32 group, u32 cpu) { return groups_[group * kernel_.nr_cpus() + cpu]; }
	bool update_curr(u32 cpu);
	void set_shares(u32 group, u32 cpu);
	void enter(Task& task, TaskState& state);
	void leave(FairEntity& first, u32 group, u32 cpu, bool sleeps, bool may_delay);
	bool would_preempt(const FairEntity* woken, u32 cpu) const;
	Task* pick(u32 cpu);
	u32 group_of(const FairEntity& entity) const;
	bool pull(u32 cpu);
	bool pull_from(u32 cpu, u32 other);
	void balance(u32 cpu);

	void enqueue_realtime(Task& task);
	bool take_realtime(u32 cpu);
	u32 select_cpu_realtime(Task& task, u32 prev_cpu) const;

	const Scenario& scenario_;
	Kernel& kernel_;
	FairLimits limits_;
	std::deque<TaskState> states_;  // by row of the kernel's table; entities do not move
	std::vector<CpuState> cpus_;
	std::vector<GroupOnCpu> groups_;  // by group and CPU
	std::vector<u64> group_loads_;    // over all CPUs
	CpuSet waiting_;                  // CPUs on which somebody waits
	CpuSet realtime_runs_;
	CpuSet realtime_waits_;
	u64 nr_queued_ = 0;
};

}  // namespace punctual::sim
