// SPDX-License-Identifier: GPL-2.0-only
// What `punctual runq` was told, and what that means for the collector.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "base/units.h"
#include "runq/collector.h"
#include "view/waits_text.h"

namespace punctual {

// As the operator wrote it. Empty: not given.
struct RunqOptions {
	// The first words that are no options, whatever they are: without an interval the command begins with them.
	std::string interval;
	std::string count;
	std::vector<std::string> command;  // what follows
	std::string by;
	std::string pid;
	std::string cgroup;
	std::string cpus;
	bool json = false;
	bool waking = false;
	bool outliers = false;
	bool cost = false;
};

struct RunqPlan {
	CollectorOptions collector;
	WaitsBy by = WaitsBy::kind;
	std::optional<Nanoseconds> interval;  // none: one window, as long as the command runs
	std::optional<u64> count;             // windows; none: until interrupted, or the command ends
	std::vector<std::string> command;
};

void declare_runq_options(CLI::App& app, RunqOptions* options);

// Errors (usage) name what is wrong.
Result<RunqPlan> runq_plan(const RunqOptions& options);

}  // namespace punctual
