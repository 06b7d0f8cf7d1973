// SPDX-License-Identifier: GPL-2.0-only
// What can be known of a load without a kernel that has sched_ext and without privilege.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace punctual {

struct SchedulerFacts {
	bool has_budgets = false;
};

// `set`: as in SchedulerOptions. Errors (usage): no scheduler of that name or in that file, a tunable that it does not
// have or a value that it does not take.
Result<SchedulerFacts> check_scheduler(std::string_view sched, const std::vector<std::string>& set);

}  // namespace punctual
