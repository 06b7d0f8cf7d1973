// SPDX-License-Identifier: GPL-2.0-only
// Costs for the simulator from a bench in the lab: part of the sim command.
#pragma once

#include <string>

#include "bench/result.h"
#include "sim/costs.h"

namespace punctual {

struct Calibration {
	sim::CostTable costs;
	std::string notes;  // what could not be told from this run, and was left as it was; a line each
};

// From one start of `punctual bench --lab --background spin` on one CPU. Error (usage) says why a result does not
// serve.
Result<Calibration> calibrate(const BenchResult& lab);

}  // namespace punctual
