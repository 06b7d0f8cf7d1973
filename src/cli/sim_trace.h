// SPDX-License-Identifier: GPL-2.0-only
// What ran when in a simulation, for Perfetto: part of the sim command.
#pragma once

#include <functional>
#include <string>

#include "export/perfetto_runs.h"
#include "sim/record.h"
#include "sim/scenario.h"

namespace punctual {

// One group of tracks, named by the policy. `name_of` gives the name of a task of Scenario::tasks. At most a million
// stays and events of a run are written; false: there were more, and the last ones are left out.
bool add_to_perfetto(PerfettoRuns& trace, const std::string& policy, const sim::Scenario& scenario,
		     const sim::Outcome& outcome, const std::function<std::string(u32)>& name_of);

}  // namespace punctual
