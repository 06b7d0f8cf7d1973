// SPDX-License-Identifier: GPL-2.0-only
// The document "punctual.status", version 1: which scheduler the kernel runs and what it counts. For the command, and
// for the guard that looks for somebody who may not.
#pragma once

#include <string>

#include "base/result.h"

namespace punctual {

// Error (lacking): no privilege, or no sched_ext.
Result<std::string> status_document();

}  // namespace punctual
