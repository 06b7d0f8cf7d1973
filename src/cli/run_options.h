// SPDX-License-Identifier: GPL-2.0-only
// What `punctual run` was told, and what that means for the loader.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "object/scheduler.h"

namespace punctual {

// As the operator wrote it.
struct RunOptions {
	std::string sched;
	std::string cpus;
	std::vector<std::string> slices;
	std::vector<std::string> set;
	std::string timeout;
	std::vector<std::string> command;
};

// Declares the options on `app`; parsing fills `options`, which must live as long.
void declare_run_options(CLI::App& app, RunOptions* options);

// Errors (usage) name the option that is wrong.
Result<SchedulerOptions> scheduler_options(const RunOptions& options);

}  // namespace punctual
