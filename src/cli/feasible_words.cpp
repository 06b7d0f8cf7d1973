// SPDX-License-Identifier: GPL-2.0-only
#include "cli/feasible_words.h"

#include <fmt/format.h>

namespace punctual {
namespace {

constexpr uint64_t kNoWait = ~0ULL;

// What the window showed of it.
std::string evidence(const class_verdict& verdict)
{
	const uint64_t length_ns = verdict.length_ns ? verdict.length_ns : 1;
	if (verdict.wait_ns_min == kNoWait)
		return fmt::format("a task has waited for {} ms", verdict.overdue_ns / 1000000);
	if (verdict.wait_ns_min <= verdict.budget_ns)
		return fmt::format("{} waits were late for {} % of the time", verdict.nr_missed,
				   verdict.late_ns * 100 / length_ns);
	return fmt::format("the shortest of {} waits took {:.1f} us", verdict.nr_missed,
			   static_cast<double>(verdict.wait_ns_min) / 1e3);
}

std::string not_enough_cpu(const class_verdict& verdict)
{
	if (verdict.nr_sleepless == 0)
		return fmt::format("tasks with budgets use {} % of CPU {}; give them more CPUs (--cpus)",
				   verdict.budgeted_percent, verdict.cpu);
	const uint64_t length_ns = verdict.length_ns ? verdict.length_ns : 1;
	return fmt::format(
	    "it asks for more CPU than there is: {} % of a CPU used, and a task never slept in the window; give it "
	    "more "
	    "CPUs (--cpus) and tasks to use them, or less work",
	    verdict.ran_ns * 100 / length_ns);
}

}  // namespace

std::string_view reason_key(uint32_t reason)
{
	switch (reason) {
	case FEASIBLE:
		return "feasible";
	case INFEASIBLE_OVER_CAP:
		return "over_cap";
	case INFEASIBLE_TAKEN_BY_OTHERS:
		return "taken_by_others";
	case INFEASIBLE_NOT_ENOUGH_CPU:
		return "not_enough_cpu";
	case INFEASIBLE_FLOOR:
		return "floor";
	case INFEASIBLE_TOO_SHORT:
		return "too_short";
	default:
		return "unknown";
	}
}

std::string infeasible_words(const class_verdict& verdict)
{
	switch (verdict.reason) {
	case INFEASIBLE_OVER_CAP:
		return fmt::format("over its cap: queued {} times like a task without a budget; raise the cap (--cap)",
				   verdict.nr_over_cap);
	case INFEASIBLE_TAKEN_BY_OTHERS:
		return fmt::format("real-time tasks or interrupts take {} % of CPU {}; move them",
				   verdict.others_percent, verdict.cpu);
	case INFEASIBLE_NOT_ENOUGH_CPU:
		return not_enough_cpu(verdict);
	case INFEASIBLE_FLOOR:
		return fmt::format(
		    "tasks with budgets use {} % of CPU {}, and what is missing is kept for the others; lower the "
		    "floor "
		    "(--floor), or give more CPUs (--cpus)",
		    verdict.budgeted_percent, verdict.cpu);
	case INFEASIBLE_TOO_SHORT:
		return fmt::format("{}: the budget is shorter than getting on a CPU takes; a longer budget",
				   evidence(verdict));
	default:
		return fmt::format(
		    "{}, on CPU {} which others leave free; a longer budget, or look for sections of the "
		    "kernel without preemption",
		    evidence(verdict), verdict.cpu);
	}
}

std::string infeasible_count(const class_verdict& verdict)
{
	return fmt::format("budget not kept in {} of {} windows of 100 ms", verdict.nr_infeasible, verdict.nr_windows);
}

}  // namespace punctual
