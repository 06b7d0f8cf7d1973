// SPDX-License-Identifier: GPL-2.0-only
// A run of a roll-out as its record and its report have it.
#pragma once

#include <nlohmann/json.hpp>

#include "bench/rollout_rule.h"

namespace punctual {

// Its figures, and "counters" where it has some. RolloutRecord reads it back.
nlohmann::ordered_json rollout_run_json(const RolloutRun& run);

}  // namespace punctual
