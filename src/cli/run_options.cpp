// SPDX-License-Identifier: GPL-2.0-only
#include "cli/run_options.h"

#include "base/cpu_list.h"
#include "base/units.h"
#include "scope/budget_option.h"

namespace punctual {

void declare_run_options(CLI::App& app, RunOptions* options)
{
	app.add_option("SCHED", options->sched, "scx_latency, scx_simple, or a BPF object file")->required();
	app.add_option("--cpus", options->cpus, "CPUs on which the policy applies, e.g. 0-3,8 (default: all)");
	app.add_option("--slice", options->slices, "latency budget CGROUP=DURATION, e.g. vnf.slice=60us (repeatable)")
	    ->allow_extra_args(false);
	app.add_option("--set", options->set, "NAME=VALUE: a tunable of the scheduler (repeatable)")
	    ->allow_extra_args(false);
	app.add_option("--timeout", options->timeout, "ejected when a task waits longer than this (100ms to 30s)");
	app.add_option("CMD", options->command,
		       "after --: the scheduler lives for the run of CMD, whose exit status is returned");
}

Result<SchedulerOptions> scheduler_options(const RunOptions& options)
{
	SchedulerOptions scheduler;
	if (!options.cpus.empty())
		scheduler.cpus = TRY(cpus_of_this_machine(options.cpus));
	for (const std::string& slice : options.slices)
		scheduler.budgets.push_back(TRY(parse_budget(slice)));
	scheduler.set = options.set;
	if (!options.timeout.empty()) {
		auto timeout = TRY(parse_duration(options.timeout));
		if (timeout < std::chrono::milliseconds(100) || timeout > std::chrono::seconds(30))
			return fail(ExitCode::usage, "--timeout {} is outside 100ms to 30s", options.timeout);
		scheduler.timeout_ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
	}
	return scheduler;
}

}  // namespace punctual
