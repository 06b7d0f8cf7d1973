// SPDX-License-Identifier: GPL-2.0-only
// scx_latency for the simulated kernel: its own thin shell around policy/, callback by callback like
// bpf/scx_latency.bpf.c. Functions bear the names that they have there, so the two can be read side by side;
// the reasons are given there. What one decides wrongly, or forgets, the other shows.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "policy/cap.h"
#include "policy/feasible.h"
#include "policy/floor.h"
#include "policy/latency.h"
#include "policy/placement.h"
#include "policy/weight.h"
#include "sim/kernel.h"

namespace punctual::sim {

enum class DsqKind : u32 { latency_llc, latency_cpu, normal_llc, normal_cpu };
constexpr u32 kDsqKinds = 4;

inline u32 dsq_id(DsqKind kind, u32 index)
{
	return static_cast<u32>(kind) * CPUS_MAX + index;
}

inline bool is_latency_dsq(u32 queue)
{
	return queue < dsq_id(DsqKind::normal_llc, 0);
}

class LatencyShell final : public Scheduler {
 public:
	static constexpr size_t kLookedAtMax = 8;  // tasks of a queue
	static constexpr u64 kKeyNone = ~0ULL;
	static constexpr u32 kNoQueue = ~0U;

	LatencyShell(const Scenario& scenario, Kernel& kernel, Outcome& outcome);

	void init() override;
	void enable(Task& task) override;
	u32 select_cpu(Task& task, u32 prev_cpu) override;
	void enqueue(Task& task, u32 flags) override;
	void dispatch(u32 cpu, Task* prev) override;
	void running(Task& task) override;
	void tick(Task& task) override;
	void update_idle(u32 cpu, bool idle) override;
	void timer_fired(u32 cpu) override;
	void windows_end() override;

	void set_budget(u32 class_index, u64 budget_ns);
	void cgroup_set_weight(u32 group, u32 weight);

	// For the audit.
	bool in_scope(u32 cpu) const { return !outside_.has(cpu); }
	bool serves_floor() const { return serves_floor_; }
	u64 deadline_ns(const Task& task) const { return states_[task.index].deadline_ns; }

 private:
	struct CpuState {
		running_facts running;
		u64 settled_ns;
		u64 owed_ns;
		u64 granted_ns;
		u64 timer_at_ns;
		u64 timer_due_ns;
		u64 reserve_ns;
		u64 turn_began_exec_ns;
		u64 starved_look_ns;
		u32 starved_queue = kNoQueue;
		u32 turn_pid;
		bool is_paying;
		s32 nr_latency;
	};
	struct LlcState {
		u64 vtime_clock;
		u32 looking_cpu;
		bool latency_used;
		bool normal_used;
	};
	struct TaskState {
		u64 vtime;
		u64 exec_ns_charged;
		u64 began_exec_ns;
		u64 runnable_ns;
		u64 queued_ns;
		u64 exec_ns_sampled;
		u64 deadline_ns;
		u64 budget_ns;
		u64 quota_ns;
		u64 generation;
		u32 weight;
		u32 llc;
		bool wait_open;
		u64 reported_ns;
		u64 reported_active_ns;
	};
	struct GroupState {
		active_sums sums[2];
		u64 busy_until_ns;
		u32 weight;
		u32 parent;
	};

	TaskState& state_of(const Task& task);
	size_t nr_queued(DsqKind kind, u32 index) const { return kernel_.queued(dsq_id(kind, index)).size(); }
	u64 first_key(u32 queue, u32 cpu) const;
	u64 preempt_by_first(u32 queue, u32 cpu, u64 latest_ns);
	std::optional<u32> next_latency_queue(u32 cpu) const;
	bool take_cpu(u32 cpu, u64 now_ns, const latency_tunables& tunables);
	u64 earliest_key(u32 cpu) const;
	bool latency_waits(u32 cpu) const;
	bool several_wait(u32 cpu) const;
	bool latency_is_queued(u32 cpu) const;
	u64 safe_for_both(u32 cpu, u64 now_ns, u64 key) const;
	bool normal_waits(u32 cpu) const;
	bool floor_is_wanted(u32 cpu) const;
	latency_tunables tunables_of(const CpuState& cpu_state);

	void init_groups();
	GroupState& group_at(u32 group);
	u64 report_active(GroupState& group, u64 now_ns, u32 weight, u64 active_ns, u64 plain) const;
	u32 weigh_in_cgroup(const Task& task, u64 now_ns, u64 active_ns);
	void refresh_weight(const Task& task, TaskState& state, u64 now_ns, bool is_normal);
	u64 settle_account(const Task& task, TaskState& state, u32 llc);
	void refresh_budget(const Task& task, TaskState& state);
	bool class_is_over_cap(const Task& task, const TaskState& state, u64 now_ns, u64 ran_ns);
	u64 budget_now(const Task& task, TaskState& state, u32 cpu, u64 now_ns, u64 ran_ns);
	bool is_over_cap(const Task& task, u32 cpu, u64 now_ns);

	bool resume_turn(Task& task, u32 cpu, u32 flags);
	void place(Task& task, TaskState& state, const place_decision& decision, u64 now_ns, u32 flags);
	void insert_local(Task& task, const TaskState& state, u32 flags);
	void queue_latency(Task& task, u32 cpu, u64 now_ns, const place_decision& decision);
	void queue_normal(Task& task, const TaskState& state, u32 cpu, bool woken);
	bool wake_idle_cpu(const Task& task);
	void wake_near_idle_cpu(Task& task, u32 cpu);
	void wake_cpu_for_first(bool used, u32 queue);

	bool shared_is_earlier(u32 cpu, u32 own, u32 shared) const;
	bool take_own_latency(u32 cpu);
	bool floor_waits(u32 cpu, u64 now_ns);
	bool take_floor(u32 cpu, u32 llc);
	u64 gathering_key(u32 cpu);
	enum class Renewed : u8 { none, taken, waits };
	Renewed take_renewed(u32 cpu, u32 queue, u64 claim_key);
	bool take_while_gathering(u32 cpu, u32 llc);
	bool take_latency(u32 cpu, u32 llc);
	bool take_out_of_scope(u32 cpu, u32 llc);
	bool is_before_queued(u64 vtime, u32 queue, u32 cpu) const;
	bool keep_running(u32 cpu, u32 llc, Task* prev);
	bool take_normal(u32 cpu, u32 llc);
	bool take_from_other_llcs(u32 cpu, bool goes_on);

	Task* find_starved(u32 queue, u32 cpu, u64 now_ns);
	bool look_for_starved(u32 cpu, u64 now_ns);
	bool take_starved(u32 cpu);

	void budgeted_runs(const Task& task, u32 cpu, u64 key, u64 now_ns);
	void normal_runs(const Task& task, u32 cpu, u64 key, u64 now_ns);

	feasible_window& window_of(const Task& task) { return windows_[task.class_index() % CLASSES_MAX]; }
	void sample_class(const Task& task, u32 cpu, u64 now_ns);
	void note_waiting(u32 queue, u64 now_ns);
	void judge_class(u32 index, u64 now_ns);

	void arm_timer(u32 cpu, u64 now_ns, u64 at_ns);
	bool cpu_may_be_preempted(u32 cpu, u64 now_ns, const latency_tunables& tunables) const;
	void settle_floor(CpuState& cpu_state, u64 now_ns);
	bool pay_floor_if_due(CpuState& cpu_state, u64 now_ns);
	bool floor_wants_cpu(u32 cpu, u64 now_ns) const;
	void watch_claims(u32 cpu, u64 now_ns);
	void watch_waiting(u32 cpu, u64 now_ns);

	void lay_out_machine();
	candidate rank_of(u32 cpu, u64 now_ns, u64 key) const;
	u32 llc_near(u32 home, u32 step) const { return near_llc(home, step, &llc_places_[home], nr_llcs_); }
	bool wants_other_cpu(const Task& task, u32 cpu);
	u32 find_cpu_near(const Task& task, u32 prev_cpu);
	u32 find_urgent_cpu(const Task& task, u32 home_cpu, u64 now_ns, u32* left) const;
	bool move_to_cpu(Task& task, u32 cpu);
	bool preempt_elsewhere(u32 cpu, u64 now_ns, u32 nr_cpus_max, const latency_tunables& tunables);

	const LatencySpec& spec_;
	const u32 nr_llcs_;
	Kernel& kernel_;
	Outcome& outcome_;
	std::vector<ClassSpec> classes_;
	std::vector<GroupSpec> group_specs_;
	CpuSet outside_;
	std::vector<u32> next_in_llc_;
	std::vector<llc_place> llc_places_;
	floor_tunables floor_knobs_;
	u64 budget_generation_ = 1;
	bool serves_floor_ = false;
	std::vector<CpuState> cpu_states_;
	std::vector<LlcState> llc_states_;
	std::vector<cap_account> accounts_;
	std::vector<feasible_window> windows_;
	std::vector<feasible_cpu> cpu_samples_;
	std::vector<TaskState> states_;
	std::vector<GroupState> groups_;  // of group_specs_, and last the root
};

}  // namespace punctual::sim
