// SPDX-License-Identifier: GPL-2.0-only
// What `punctual rollout` was told, and what that means.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "bench/arms.h"
#include "bench/options.h"
#include "bench/rollout_plan.h"
#include "object/scheduler.h"

namespace punctual {

// As the operator wrote it. These decide what is measured, and are on record for --resume.
struct RolloutOptions {
	std::string sched;
	std::string cpus;
	std::string steps = "half,all";
	std::string soak = "10m";
	int64_t pairs = 8;  // signed: a minus sign must not turn into a huge number
	std::string keep_if{kDefaultKeepRule};
	std::vector<std::string> slices;  // CGROUP[=DURATION]; with one, the load is the operator's own
	std::string background_cgroup;
	std::string settle = "1s";
	std::string warmup = "300ms";
	std::string rate = "60k";
	std::string work = "2500ns";
	std::string background = "python";
	int64_t background_processes = 0;
	int64_t seed = 1;
	bool counters = false;  // of the bench's load
};

// These may be others at each call.
struct RolloutOutput {
	std::string state;  // a file
	std::string page;   // a file; empty: none
	bool json = false;
	bool exits = false;  // at the end, also when it is kept
	bool resume = false;
};

// Declares the options on `app`; parsing fills both, which must live as long. `output`: null where they are not.
void declare_rollout_options(CLI::App& app, RolloutOptions* options, RolloutOutput* output);

// The command line that gives the same options: on record.
std::vector<std::string> rollout_arguments(const RolloutOptions& options);
// And back. Error (failed) when it is no such command line.
Result<RolloutOptions> rollout_options_from(std::vector<std::string> arguments);

struct RolloutSetup {
	RolloutPlan plan;
	CpuList cpus;
	Arm arm;                                    // of the scheduler; of its steps the CPUs differ
	Nanoseconds window{};                       // of one run
	BenchOptions load;                          // also settle and warm-up where the load is the operator's own
	std::vector<std::filesystem::path> slices;  // the operator's own load: whose waits count; empty: the bench's
	std::vector<Budget> budgets;                // of those
	std::filesystem::path background_cgroup;    // whose CPU time counts; empty: none

	bool is_own_load() const { return !slices.empty(); }
	// The bench's load of this step and pair.
	Result<BenchOptions> load_of(uint64_t step, uint64_t pair) const;
	// Where the scheduler's policy applies in this step; empty: everywhere.
	Result<CpuList> scope_of(uint64_t step) const;
};

// Errors (usage) name the option that is wrong.
Result<RolloutSetup> rollout_setup(const RolloutOptions& options, bool stays);

// The command line that loads what was kept: {"punctual", "run", ...}.
std::vector<std::string> keep_command(const RolloutOptions& options, const RolloutSetup& setup);

}  // namespace punctual
