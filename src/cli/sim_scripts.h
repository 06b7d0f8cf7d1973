// SPDX-License-Identifier: GPL-2.0-only
// Workloads of rt-app and recorded traces on a simulated machine: part of the sim command.
#pragma once

#include "base/result.h"
#include "cli/sim_options.h"

namespace punctual {

// --load FILE.json[,FILE.json...] or --trace FILE was given.
bool is_script_load(const SimArguments& arguments);

// Each policy once; a table of tasks for each, or JSON. A signal ends it with what was counted so far.
Result<ExitCode> simulate_scripts(const SimArguments& arguments);

}  // namespace punctual
