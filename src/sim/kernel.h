// SPDX-License-Identifier: GPL-2.0-only
// The kernel side of sched_ext (kernel/sched/ext.c, 6.16 to 7.3) as far as a scheduler can see it: run queues
// with their locks, queues, idle CPUs, kicks, ticks, one timer a CPU, affinity, hotplug, and the fallback.
//
// How it differs from the real one is said in simulation.h. One thread; owns tasks and queues.
#pragma once

#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "sim/dispatch_queue.h"
#include "sim/event_queue.h"
#include "sim/record.h"
#include "sim/scheduler.h"
#include "sim/task.h"

namespace punctual::sim {

class Audit;
class Workload;

struct PendingWake {
	Task* task;
	u32 flags;
};

constexpr u32 kNoCpu = ~0U;

struct Cpu {
	Task* curr = nullptr;  // none: idle
	std::vector<Task*> local;
	std::vector<PendingWake> pending;  // for its lock
	std::vector<PendingWake> woken;    // by interrupts that are under way
	u64 exec_start_ns = 0;             // up to when curr's running time is counted
	u64 run_start_ns = 0;              // when curr got the CPU
	u64 work_start_ns = 0;             // and when it came to its own instructions
	u64 resched_at_ns = 0;
	u64 locked_until_ns = 0;
	u64 claimed_ns = 0;  // when its idle bit was taken
	u64 idle_since_ns = 0;
	u32 index = 0;
	u32 llc = 0;
	u32 node = 0;
	u32 pending_kicks = 0;
	u32 core = 0;
	u32 speed_percent = 100;
	bool exiting = false;    // the interrupt has woken, and is on its way out
	bool tick_due = false;   // when its interrupt is over
	bool timer_due = false;  // the same
	bool online = true;
	bool locked = false;
	bool need_resched = false;
	bool resched_pending = false;  // an event for it is under way
	bool ticking = false;
};

class Kernel {
 public:
	static constexpr u64 kUptimeNs = 1000 * kSecond;

	Kernel(const Scenario& scenario, Outcome& outcome);

	void connect(Scheduler& scheduler, Workload& workload, Audit* audit);

	// ---- for the scheduler: what kfuncs give it ----
	u64 clock_ns() const { return now_ns_ + kUptimeNs; }  // nothing happened lately when a run begins
	u32 nr_cpus() const { return static_cast<u32>(cpus_.size()); }
	u32 llc_of(u32 cpu) const { return cpus_[cpu].llc; }
	u32 node_of(u32 cpu) const { return cpus_[cpu].node; }
	void create_queue(u32 queue);
	std::span<Task* const> queued(u32 queue) const { return queues_[queue].tasks(); }
	size_t nr_local(u32 cpu) const { return cpus_[cpu].local.size(); }
	void insert_local(Task& task, u64 slice_ns, u32 flags);
	void insert_by_key(Task& task, u32 queue, u64 slice_ns, u64 key);
	bool move_to_local(u32 cpu, u32 queue);
	void move_to_cpu(Task& task, u32 cpu, u32 flags);  // scx_bpf_dsq_move() to SCX_DSQ_LOCAL_ON
	u32 select_cpu_default(Task& task, u32 prev_cpu, bool* is_idle);
	bool has_running(u32 cpu) const  // in ops.dispatch: prev would go on
	{
		return cpus_[cpu].curr && cpus_[cpu].curr->place == TaskPlace::running;
	}
	void clear_idle(u32 cpu);                  // scx_bpf_test_and_clear_cpu_idle()
	u32 pick_idle_cpu(const CpuSet& allowed);  // CpuSet::kNone: none
	void kick(u32 cpu, u32 flags);
	// The same for schedulers that are part of the kernel: what runs must leave, or be chosen again.
	void resched_curr(u32 cpu) { preempt(cpus_[cpu], delay_to(cpu)); }
	void settle(u32 cpu) { account(cpus_[cpu]); }  // sum_exec_ns of what runs there is right now
	const Task* current(u32 cpu) const { return cpus_[cpu].curr; }
	Task* current(u32 cpu) { return cpus_[cpu].curr; }
	void take(Task& task, u32 cpu);     // in ops.dispatch: from its queue to run here
	void requeue(Task& task, u32 cpu);  // from its queue to that CPU: ops.enqueue comes
	// An idle CPU near another one, of those allowed: the CPU itself, its cache, or beyond it, too; whole cores
	// first.
	u32 find_idle(const CpuSet& allowed, u32 near_cpu, bool beyond_cache) const;
	const CpuSet& cpus_of_llc(u32 llc) const { return llc_cpus_[llc]; }
	const CpuSet& cpus_of_node(u32 node) const { return node_cpus_[node]; }
	const CpuSet& online() const { return online_; }
	void start_timer(u32 cpu, u64 delay_ns);
	void error(std::string_view text);  // ends the scheduler

	// ---- for the workload ----
	u64 now_ns() const { return now_ns_; }
	Task& create_task(const TaskSpec& spec, u32 spec_index, u64 stream);
	void wake(Task& task, bool is_fork = false);
	void interrupt(Task& task);         // that wakes it, on the CPU where it ran last
	void count_work();                  // own_work_ns of tasks that run is right now
	Task* task_of(const Event& event);  // none: it died

	// ---- for whoever changes the machine: kernel_change.cpp. False: not now, a lock is held. ----
	bool set_cpus(Task& task, const CpuSet& cpus);
	bool set_online(u32 cpu, bool online);
	void eject();
	void attach();
	bool is_attached() const { return !bypass_; }

	// ---- for the loop and the audit ----
	EventQueue& events() { return events_; }
	void handle(const Event& event);
	void advance(u64 now_ns) { now_ns_ = now_ns; }
	void finish();  // counts what still runs
	const std::deque<Task>& tasks() const { return tasks_; }
	std::deque<Task>& tasks() { return tasks_; }
	const std::vector<Cpu>& cpus() const { return cpus_; }
	bool has_idle_bit(u32 cpu) const { return idle_.has(cpu); }
	const std::deque<Task*>& fallback() const { return fallback_; }
	const std::vector<DispatchQueue>& queues() const { return queues_; }

 private:
	void handle_cpu(const Event& event, Cpu& cpu);
	void on_switch_done(Cpu& cpu, bool was_idle);
	void on_interrupted(Cpu& cpu);
	void unlocked(Cpu& cpu);
	void begin_pending_interrupt(Cpu& cpu);
	void lock(Cpu& cpu, u64 cost_ns);
	void on_timer(Cpu& cpu);
	void do_tick(Cpu& cpu);
	u64 delay_to(u32 cpu) const { return cpu == here_ ? 0 : scenario_.machine.costs.ipi_ns; }
	void settle_work(Cpu& cpu) const;
	void set_speed(Cpu& cpu);
	void core_changed(const Cpu& cpu);
	void mark_idle(u32 cpu);
	void on_tick(Cpu& cpu);
	void on_work(Cpu& cpu);
	void on_kick(Cpu& cpu, u32 flags);
	void on_resched(Cpu& cpu);

	void schedule(Cpu& cpu, Task* prev);
	Task* pick(Cpu& cpu, Task* prev);
	void switch_to(Cpu& cpu, Task* next);
	void put_prev(Cpu& cpu, Task& prev);
	void leave_cpu(Cpu& cpu, Task& task);
	void account(Cpu& cpu) const;
	void enqueue(Task& task, u32 flags);
	void activate(Task& task, u32 flags);
	void arrive(Task& task, u32 flags);  // activate, as soon as its CPU's lock is free
	void resched(Cpu& cpu, u64 delay_ns);
	void take_slice(Cpu& cpu);
	void preempt(Cpu& cpu, u64 delay_ns);
	void start_tick(Cpu& cpu);
	void start_work(Cpu& cpu);
	u64 section_left_ns(const Cpu& cpu) const;
	u32 choose_cpu(Task& task);
	u32 allowed_cpu(Task& task);
	void claim(u32 cpu);
	void set_place(Task& task, TaskPlace place);
	void unqueue(Task& task);
	void to_fallback(Task& task);
	bool take_fallback(Cpu& cpu);

	const Scenario& scenario_;
	Outcome& outcome_;
	Scheduler* scheduler_ = nullptr;
	Workload* workload_ = nullptr;
	Audit* audit_ = nullptr;
	EventQueue events_;
	std::deque<Task> tasks_;
	std::vector<PendingWake> activating_, woken_;  // kept for their memory
	std::vector<u32> dead_;                        // rows of tasks_ to be used again
	std::vector<Cpu> cpus_;
	std::vector<DispatchQueue> queues_;
	std::deque<Task*> fallback_;
	std::vector<CpuSet> llc_cpus_;
	std::vector<CpuSet> node_cpus_;
	CpuSet online_;
	CpuSet idle_;
	CpuSet idle_cores_;  // all CPUs of cores that are wholly idle
	std::vector<CpuSet> core_cpus_;
	bool has_smt_ = false;
	u32 here_ = kNoCpu;  // whose interrupt is handled
	u32 nr_idle_ = 0;
	u64 now_ns_ = 0;
	u64 tick_ns_;
	u32 pid_next_;
	bool bypass_ = true;
	Random random_;
};

}  // namespace punctual::sim
