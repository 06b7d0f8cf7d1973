// SPDX-License-Identifier: GPL-2.0-only
// From what a simulation showed to what a bench shows, so that one table, one page and one JSON document serve both:
// part of the sim command.
#pragma once

#include <string>

#include "bench/result.h"
#include "cli/sim_jobs.h"
#include "sim/load.h"
#include "sim/record.h"

namespace punctual {

ArmResult arm_of(const sim::Outcome& outcome, const sim::Scenario& scenario, const sim::SimLoad& load,
		 const sim::PolicyChoice& policy);

// What the start was made of, as a bench names it.
Environment facts_of(const SimStudy& study, const sim::SimLoad& load, u64 start);

// The document "punctual.sim", version 1: each point with its starts as documents of the bench, and its questions.
std::string study_to_json(const SimStudyResult& result, double margin);

}  // namespace punctual
