// SPDX-License-Identifier: GPL-2.0-only
// What `punctual run` was told, by flags, environment and file, and what that means for the loader.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "object/scheduler.h"
#include "scope/config_file.h"

namespace punctual {

// As the operator wrote it. Empty: not given.
struct RunOptions {
	std::string sched;
	std::string config;
	std::string cpus;
	std::string floor;
	std::string timeout;
	std::string record_decisions;  // a file
	bool only = false;
	std::vector<std::string> slices;  // CGROUP=DURATION; with `only` also CGROUP
	std::vector<std::string> caps;    // CGROUP=PERCENT
	std::vector<std::string> set;     // NAME=VALUE
	std::vector<std::string> command;
	std::vector<ConfigBudget> file_budgets;  // a flag for the same cgroup goes before
};

// Declares what says which scheduler and how on `app`; parsing fills `options`, which must live as long.
void declare_scheduler_options(CLI::App& app, RunOptions* options);
// And CMD.
void declare_run_options(CLI::App& app, RunOptions* options);

// Value of an environment variable, "" when it is not set.
using Environment = std::function<std::string(const char* name)>;

// Fills in what the flags left open: from PUNCTUAL_SCHEDULER, _CPUS, _FLOOR and _TIMEOUT first, then from the file.
// Tunables of the file come before those of flags: the last word holds.
RunOptions merge_run_options(RunOptions flags, const Environment& environment, const ConfigFile& file);

// Values of the file that are wrong by themselves. Errors (usage) begin with their file, line and key.
Status check_run_values(const ConfigFile& file);
template <typename T>
Status at_place(const std::string& place, const Result<T>& result)
{
	return result ? Status() : fail(ExitCode::usage, "{}: {}", place, result.error().what);
}

// The process's own.
std::string environment_value(const char* name);

// The same with the process's environment and the file that --config or PUNCTUAL_CONFIG names.
Result<RunOptions> complete_run_options(const RunOptions& flags);

// What a load needs. Errors (usage) name the option that is wrong.
struct RunSettings {
	std::string sched;
	SchedulerOptions scheduler;
	std::vector<std::filesystem::path> slices;  // that leave the kernel's own scheduler; empty without --only
	std::string record_decisions;
};
Result<RunSettings> run_settings(const RunOptions& options);

// Its part for the scheduler.
Result<SchedulerOptions> scheduler_options(const RunOptions& options);

}  // namespace punctual
