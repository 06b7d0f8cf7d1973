// SPDX-License-Identifier: GPL-2.0-only
// What `punctual guard` was told, by flags, environment and configuration, checked as far as that goes without loading
// anything. A reload makes a plan anew from the same flags.
#pragma once

#include <string>
#include <vector>

#include "cli/run_options.h"
#include "guard/guard_config.h"
#include "guard/slo_rule.h"

namespace punctual {

// As the operator wrote it.
struct GuardOptions {
	RunOptions run;
	std::vector<std::string> slo;
	std::string on_fallback;
	std::string webhook;
	std::string metrics;  // a file
	std::string state_dir = "/var/lib/punctual";
};

struct GuardPlan {
	GuardConfig config;
	std::string config_path;   // file or folder; empty: none, so there is nothing to read anew
	RunSettings settings;      // with the budgets of cgroups that exist
	bool has_budgets = false;  // the scheduler
	std::vector<SloRule> rules;
	std::vector<std::string> hook;
	std::vector<std::string> notes;  // what is not wrong and worth a look, a line each
};

// A cgroup that a flag names must exist; one of the file may come later, but for --only. Errors (usage) name the
// option, or file, line and key.
Result<GuardPlan> make_guard_plan(const GuardOptions& options);

}  // namespace punctual
