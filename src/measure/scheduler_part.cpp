// SPDX-License-Identifier: GPL-2.0-only
#include "measure/scheduler_part.h"

#include <algorithm>
#include <iterator>

namespace punctual {
namespace {

// Where others enter the scheduler.
constexpr std::string_view kEntries[] = {"__sched_setscheduler",
					 "__schedule",
					 "__set_cpus_allowed_ptr",
					 "do_sched_yield",
					 "hrtick",
					 "nohz_csd_func",
					 "rebalance_domains",
					 "resched_curr",
					 "run_rebalance_domains",
					 "sched_balance_domains",
					 "sched_balance_softirq",
					 "sched_cgroup_fork",
					 "sched_exec",
					 "sched_fork",
					 "sched_move_task",
					 "sched_post_fork",
					 "sched_tick",
					 "sched_ttwu_pending",
					 "schedule_tail",
					 "scheduler_tick",
					 "set_user_nice",
					 "try_to_wake_up",
					 "wake_up_new_task"};
static_assert(std::ranges::is_sorted(kEntries));

// Functions of kernel/sched/ext.c whose names do not tell.
constexpr std::string_view kExtFunctions[] = {"balance_one",
					      "consume_dispatch_q",
					      "dispatch_enqueue",
					      "dispatch_to_local_dsq",
					      "do_enqueue_task",
					      "finish_dispatch",
					      "flush_dispatch_buf",
					      "kick_cpus_irq_workfn",
					      "move_task_to_local_dsq",
					      "ops_dequeue",
					      "process_ddsp_deferred_locals",
					      "run_deferred"};
static_assert(std::ranges::is_sorted(kExtFunctions));

template <size_t N>
bool is_in(const std::string_view (&sorted)[N], std::string_view name)
{
	return std::binary_search(std::begin(sorted), std::end(sorted), name);
}

// "finish_task_switch.isra.0" -> "finish_task_switch": what compilers append.
std::string_view plain(std::string_view name)
{
	return name.substr(0, name.find('.'));
}

bool is_ext(std::string_view name)
{
	return name.starts_with("scx_") || name.ends_with("_scx") || name.starts_with("bpf__sched_ext_ops_") ||
	       is_in(kExtFunctions, name);
}

bool is_interrupt(std::string_view name)
{
	return name.starts_with("asm_");
}

}  // namespace

std::vector<SchedulerPart> scheduler_parts(std::span<const std::string_view> frames,
					   const std::set<std::string, std::less<>>& programs)
{
	std::vector<SchedulerPart> parts;
	parts.reserve(frames.size());
	SchedulerPart part = SchedulerPart::none;
	for (const std::string_view frame : frames) {
		const std::string_view name = plain(frame);
		if (is_interrupt(name))
			part = SchedulerPart::none;
		else if (programs.contains(frame))
			part = SchedulerPart::bpf;
		else if (part < SchedulerPart::ext_core && is_ext(name))
			part = SchedulerPart::ext_core;
		else if (part < SchedulerPart::kernel && is_in(kEntries, name))
			part = SchedulerPart::kernel;
		parts.push_back(part);
	}
	return parts;
}

bool has_interrupt(std::span<const std::string_view> frames)
{
	return std::ranges::any_of(frames, [](std::string_view frame) { return is_interrupt(frame); });
}

}  // namespace punctual
