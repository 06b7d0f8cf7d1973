// SPDX-License-Identifier: GPL-2.0-only
#include "cli/rollout_measure.h"

#include <poll.h>

#include <algorithm>
#include <optional>

#include "base/cgroup.h"
#include "base/clock.h"
#include "base/sched_ext.h"
#include "bench/trial.h"
#include "runq/collector.h"

namespace punctual {
namespace {

constexpr uint64_t kWatchMs = 90;  // how late an ejection may be noticed
// Of the waits, so many may be lost or discarded: more, and a quantile may be another.
constexpr double kLostMax = 0.001;

RolloutRun run_of(const ArmResult& result)
{
	return {.p50_ns = result.latency.quantile_ns(0.5),
		.p99_ns = result.latency.quantile_ns(0.99),
		.p999_ns = result.latency.quantile_ns(0.999),
		.max_ns = result.latency.max_ns(),
		.nr = result.latency.count(),
		.offered = result.offered,
		.dropped = result.dropped,
		.background = result.background_work,
		.window_ns = result.window_ns,
		.front_cpu_ns = result.vnf_cpu_ns,
		.background_cpu_ns = result.background_cpu_ns,
		.switches = result.context_switches(),
		.counts = result.counts};
}

Result<RolloutRun> measure_bench(const RolloutSetup& setup, uint64_t step, uint64_t pair, RolloutArm side,
				 StopSignal& stop)
{
	Arm arm{.name = "eevdf", .kind = ArmKind::eevdf, .scheduler = {}, .budget = {}};
	if (side == RolloutArm::scheduler) {
		arm = setup.arm;
		arm.cpus = TRY(setup.scope_of(step));
	}
	const BenchOptions load = TRY(setup.load_of(step, pair));
	const BenchResult result = TRY(run_bench({arm}, load, stop, [](const Arm&) {}));
	return run_of(result.arms.front());
}

Status ejected(Scheduler* scheduler)
{
	const ExitReport report = scheduler->detach();
	// A hotplug is nobody's fault, but the run has two halves then.
	return fail(report.is_fault() ? ExitCode::ejected : ExitCode::invalid, "{} {}: {}{}{}", scheduler->name(),
		    report.is_fault() ? "was ejected" : "ended", report.reason, report.message.empty() ? "" : ": ",
		    report.message);
}

// Sleeps, and looks whether the scheduler is still there.
Status pass(Nanoseconds time, std::optional<Scheduler>* scheduler, StopSignal& stop)
{
	const uint64_t end_ns = monotonic_ns() + static_cast<uint64_t>(time.count());
	for (uint64_t now_ns = monotonic_ns(); now_ns < end_ns; now_ns = monotonic_ns()) {
		pollfd fd{stop.fd(), POLLIN, 0};
		::poll(&fd, 1, static_cast<int>(std::min(kWatchMs, (end_ns - now_ns) / 1'000'000 + 1)));
		if (stop.raised())
			return fail(ExitCode::interrupted, "interrupted");
		if (*scheduler && !(*scheduler)->is_enabled())
			return ejected(&**scheduler);
	}
	return {};
}

struct CpuTimes {
	uint64_t front_ns = 0;
	uint64_t background_ns = 0;
};

Result<CpuTimes> cpu_times(const RolloutSetup& setup)
{
	CpuTimes times;
	for (const std::filesystem::path& slice : setup.slices)
		times.front_ns += 1000 * TRY(cgroup_cpu_usage_us(slice));
	if (!setup.background_cgroup.empty())
		times.background_ns = 1000 * TRY(cgroup_cpu_usage_us(setup.background_cgroup));
	return times;
}

bool is_below(std::string_view path, std::string_view above)
{
	return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/' || above == "/");
}

// Of the slices and all below them.
Result<WaitCounts> waits_of(const RolloutSetup& setup, const WaitSnapshot& waits)
{
	const std::filesystem::path mount = TRY(cgroup2_mount());
	WaitCounts sum;
	for (const CgroupWaits& cgroup : waits.cgroups)
		if (std::ranges::any_of(setup.slices, [&](const std::filesystem::path& slice) {
			    return is_below(cgroup.path, "/" + slice.lexically_relative(mount).native());
		    }))
			sum.merge(cgroup.waits);
	const uint64_t lost = waits.losses.lost + waits.losses.discarded;
	const uint64_t all = waits.all().count();
	if (static_cast<double>(lost) > kLostMax * static_cast<double>(all + lost))
		return fail(ExitCode::invalid, "{} of {} run-queue waits were lost or discarded, more than {:g} %",
			    lost, all + lost, 100 * kLostMax);
	if (sum.count() == 0)
		return fail(
		    ExitCode::invalid,
		    "no task of the named slices waited on cpus {} in the run: is the load on, and on these CPUs?",
		    setup.cpus.text());
	return sum;
}

Result<RolloutRun> measure_own(const RolloutSetup& setup, uint64_t step, RolloutArm side, StopSignal& stop)
{
	Collector collector = TRY(Collector::attach({.cpus = setup.plan.steps[step]}));
	std::optional<Scheduler> scheduler;  // last, so that it goes first
	if (side == RolloutArm::scheduler)
		scheduler.emplace(TRY(Scheduler::attach(
		    setup.arm.scheduler, {.cpus = TRY(setup.scope_of(step)), .budgets = setup.budgets, .set = {}})));
	const SchedExtState state = read_sched_ext();
	TRY(pass(setup.load.settle + setup.load.warmup, &scheduler, stop));
	const WaitSnapshot before = TRY(collector.snapshot());
	const CpuTimes used_before = TRY(cpu_times(setup));
	TRY(pass(setup.window, &scheduler, stop));
	const WaitSnapshot after = TRY(collector.snapshot());
	const CpuTimes used = TRY(cpu_times(setup));
	if (!read_sched_ext().same_scheduler(state))
		return fail(ExitCode::invalid, "the scheduler changed during the run");
	const WaitCounts waits = TRY(waits_of(setup, waits_between(before, after)));
	RolloutRun run{.p50_ns = waits.quantile_ns(0.5),
		       .p99_ns = waits.quantile_ns(0.99),
		       .p999_ns = waits.quantile_ns(0.999),
		       .max_ns = waits.max_ns,
		       .nr = waits.count()};
	run.window_ns = after.at_ns - before.at_ns;
	run.front_cpu_ns = used.front_ns - used_before.front_ns;
	run.background_cpu_ns = used.background_ns - used_before.background_ns;
	run.background = run.background_cpu_ns;
	return run;
}

}  // namespace

Result<RolloutRun> measure_rollout(const RolloutSetup& setup, uint64_t step, uint64_t pair, RolloutArm arm,
				   StopSignal& stop)
{
	return setup.is_own_load() ? measure_own(setup, step, arm, stop) : measure_bench(setup, step, pair, arm, stop);
}

}  // namespace punctual
