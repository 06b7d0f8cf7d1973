// SPDX-License-Identifier: GPL-2.0-only
// Latency budgets as an operator writes them: CGROUP=DURATION.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/budget.h"
#include "base/result.h"

namespace punctual {

// An extended attribute of the cgroup's directory that gives it a budget.
constexpr const char* kLatencyAttribute = "user.latency_ns";

// "vnf.slice=60us": the cgroup must exist, the budget lie between BUDGET_NS_MIN and BUDGET_NS_MAX
// (abi/sched.h). Errors (usage) name what is wrong.
Result<Budget> parse_budget(std::string_view text);

// "30%" or "30" of one CPU: from 1% to all CPUs that are online.
Result<uint32_t> parse_cap_percent(std::string_view text, std::string_view what);

// The number of "10%" or "10"; `what` names it in errors.
Result<uint32_t> parse_percent(std::string_view text, std::string_view what, uint32_t min, uint32_t max);

// The duration alone, with the same limits; `what` names it in errors.
Result<std::chrono::nanoseconds> parse_budget_duration(std::string_view text, std::string_view what);

// The value of that attribute: "60000" nanoseconds, or with a unit, "60us". The same limits.
Result<std::chrono::nanoseconds> parse_latency_attribute(std::string_view text, std::string_view what);

}  // namespace punctual
