// SPDX-License-Identifier: GPL-2.0-only
// The life of a guard: does what src/guard/guard_state.h decides, tells people, has the state on disk, and listens to
// signals and to the control socket.
#pragma once

#include "cli/guard_plan.h"

namespace punctual {

// Until a signal. Errors: what a person has to put right, before anything was loaded.
Result<ExitCode> run_guard(const GuardOptions& options, GuardPlan plan);

}  // namespace punctual
