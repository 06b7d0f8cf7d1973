// SPDX-License-Identifier: GPL-2.0-only
// Where a task that was enqueued is put, as bpf/latency_queue.bpf.h has it.
#include "sim/latency_shell.h"

#include "policy/resume.h"
#include "policy/vtime.h"

namespace punctual::sim {

bool LatencyShell::wake_idle_cpu(const Task& task)
{
	u32 idle = kernel_.pick_idle_cpu(task.cpus);

	if (idle == CpuSet::kNone)
		return false;
	kernel_.kick(idle, kKickIdle);
	return true;
}

void LatencyShell::wake_near_idle_cpu(Task& task, u32 cpu)
{
	LlcState& llc_state = llc_states_[kernel_.llc_of(cpu)];
	bool is_idle = true;
	u32 idle = nr_llcs_ == 1 ? kernel_.pick_idle_cpu(task.cpus) : kernel_.select_cpu_default(task, cpu, &is_idle);
	if ((idle == CpuSet::kNone || !is_idle) && llc_state.looking_cpu) {
		idle = llc_state.looking_cpu - 1;
		llc_state.looking_cpu = 0;
		is_idle = true;
	}
	if (is_idle && idle != CpuSet::kNone)
		kernel_.kick(idle, kKickIdle);
}

void LatencyShell::queue_latency(Task& task, u32 cpu, u64 now_ns, const place_decision& decision)
{
	CpuState& cpu_state = cpu_states_[cpu];
	u64 at_ns = decision.preempt_at_ns;

	if (!latency_waits(cpu))
		cpu_state.timer_at_ns = 0;
	else if (!cpu_state.running.nr_other_cpus || (task.is_pinned() && cpu_state.nr_latency > 0))
		at_ns = earlier(at_ns, safe_for_both(cpu, now_ns, decision.key));
	arm_timer(cpu, now_ns, at_ns);
	if (task.is_pinned()) {
		cpu_state.nr_latency++;
		kernel_.insert_by_key(task, dsq_id(DsqKind::latency_cpu, cpu), spec_.slice_ns, decision.key);
	} else {
		u32 llc = kernel_.llc_of(cpu);

		llc_states_[llc].latency_used = true;
		kernel_.insert_by_key(task, dsq_id(DsqKind::latency_llc, llc), spec_.slice_ns, decision.key);
		wake_near_idle_cpu(task, cpu);
	}
}

void LatencyShell::queue_normal(Task& task, const TaskState& state, u32 cpu, bool woken)
{
	CpuState& cpu_state = cpu_states_[cpu];
	u32 llc = kernel_.llc_of(cpu);

	if (cpu_state.turn_pid == task.pid)
		cpu_state.turn_pid = 0;
	if (task.is_pinned()) {
		kernel_.insert_by_key(task, dsq_id(DsqKind::normal_cpu, cpu), spec_.slice_ns, vtime_key(state.vtime));
		return;
	}
	llc_states_[llc].normal_used = true;
	kernel_.insert_by_key(task, dsq_id(DsqKind::normal_llc, llc), spec_.slice_ns, vtime_key(state.vtime));
	if (!woken || cpu_state.running.kind != RUNNING_NOTHING)
		wake_near_idle_cpu(task, cpu);
}

bool LatencyShell::resume_turn(Task& task, u32 cpu, u32 flags)
{
	CpuState& cpu_state = cpu_states_[cpu];
	resume_facts facts = {};

	facts.turn_ran_ns = task.sum_exec_ns - cpu_state.turn_began_exec_ns;
	facts.turn_ns = spec_.slice_ns;
	facts.turn_ns_min = spec_.turn_min_ns;
	facts.in_turn = cpu_state.turn_pid == task.pid;
	facts.pinned = task.is_pinned();
	if (!facts.in_turn)
		return false;
	facts.others_first = cpu_state.starved_queue != kNoQueue || latency_waits(cpu);
	u64 rest_ns = resume_ns(&facts);
	if (!rest_ns)
		return false;
	kernel_.insert_local(task, rest_ns, flags);
	return true;
}

void LatencyShell::insert_local(Task& task, const TaskState& state, u32 flags)
{
	task.key =
	    state.deadline_ns && !task.is_bound_kthread() ? deadline_key(state.deadline_ns) : vtime_key(state.vtime);
	kernel_.insert_local(task, spec_.slice_ns, flags);
}

}  // namespace punctual::sim
