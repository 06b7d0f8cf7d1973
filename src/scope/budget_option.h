// SPDX-License-Identifier: GPL-2.0-only
// Latency budgets as an operator writes them: CGROUP=DURATION.
#pragma once

#include <string_view>

#include "base/budget.h"
#include "base/result.h"

namespace punctual {

// "vnf.slice=60us": the cgroup must exist, the budget lie between BUDGET_NS_MIN and BUDGET_NS_MAX
// (abi/sched.h). Errors (usage) name what is wrong.
Result<Budget> parse_budget(std::string_view text);

// The duration alone, with the same limits; `what` names it in errors.
Result<std::chrono::nanoseconds> parse_budget_duration(std::string_view text, std::string_view what);

}  // namespace punctual
