// SPDX-License-Identifier: GPL-2.0-only
#include "cli/sim_calibrate.h"

#include <algorithm>

namespace punctual {
namespace {

std::string_view fact(const BenchResult& result, std::string_view name)
{
	const auto found = std::ranges::find(result.environment, name, &Environment::value_type::first);
	return found == result.environment.end() ? "" : std::string_view(found->second);
}

const ArmResult* arm_named(const BenchResult& result, std::string_view name)
{
	const auto found = std::ranges::find(result.arms, name, &ArmResult::name);
	return found == result.arms.end() ? nullptr : &*found;
}

// The most frequent latency: that of a packet which wakes the packet function and has the CPU at once.
u64 usual_ns(const ArmResult& arm)
{
	const std::vector<HistogramBucket> buckets = arm.latency.buckets();
	const auto most = std::ranges::max_element(buckets, {}, &HistogramBucket::count);
	return most == buckets.end() ? 0 : (most->min_ns + most->max_ns) / 2;
}

u64 less(u64 from, u64 part)
{
	return from > part ? from - part : 0;
}

// A cycle is a wakeup, a switch, the way into sleep and a switch. How the wakeup divides, and what a switch alone
// takes, does not show. The way into sleep is what the cycle leaves, but not more than the task was charged for.
void set_cycle(sim::CostSpec& costs, const ArmResult& arm)
{
	const u64 work_ns = arm.latency.count() ? arm.vnf_work_ns / arm.latency.count() : 0;
	const u64 charged_ns = arm.sleeps ? less(arm.vnf_cpu_ns, arm.vnf_work_ns) / arm.sleeps : 0;
	costs.wakeup_ns = less(usual_ns(arm), work_ns + costs.wakeup_exit_ns + costs.switch_ns);
	costs.sleep_ns = std::min(less(arm.cycle_ns(), costs.wakeup_ns + costs.wakeup_exit_ns + 2 * costs.switch_ns),
				  less(charged_ns, costs.switch_ns));
}

}  // namespace

Result<Calibration> calibrate(const BenchResult& lab)
{
	if (fact(lab, "background") != "spin" || !fact(lab, "time").starts_with("virtual") ||
	    std::ranges::any_of(lab.arms, [](const ArmResult& arm) { return arm.cycle_ns() == 0; }))
		return fail(
		    ExitCode::usage,
		    "this run does not tell what a cycle costs: give one of `punctual bench --lab --background spin "
		    "--arms eevdf,fifo,scx_latency=60us,scx_latency=5us --json`, on one CPU");
	Calibration result{sim::default_costs(), ""};
	result.costs.origin = fmt::format("lab, kernel {}, one CPU in virtual time", fact(lab, "kernel"));
	const auto note = [&](std::string_view arm, std::string_view what) {
		result.notes += fmt::format("no arm {}: {} stays as it was\n", arm, what);
	};
	if (const ArmResult* arm = arm_named(lab, "eevdf"))
		set_cycle(result.costs.eevdf, *arm);
	else
		note("eevdf", "[eevdf]");
	if (const ArmResult* arm = arm_named(lab, "fifo"))
		set_cycle(result.costs.realtime, *arm);
	else
		note("fifo", "[fifo]");
	const ArmResult* without_slack = arm_named(lab, "scx_latency=5us");
	const ArmResult* with_slack = arm_named(lab, "scx_latency=60us");
	if (!without_slack) {
		note("scx_latency=5us", "[scx_latency] and [queue]");
		return result;
	}
	set_cycle(result.costs.latency, *without_slack);
	result.costs.queue.wakeup_ns = result.costs.latency.wakeup_ns;
	result.costs.queue.sleep_ns = result.costs.latency.sleep_ns;
	if (with_slack)
		result.costs.latency.timer_ns =
		    less(with_slack->cycle_ns(), without_slack->cycle_ns() + result.costs.latency.timer_late_ns / 2);
	else
		note("scx_latency=60us", "timer_ns of [scx_latency]");
	return result;
}

}  // namespace punctual
