// SPDX-License-Identifier: GPL-2.0-only
// A window of `punctual runq --json`. docs/runq.md describes the document.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/runq_window.h"

namespace punctual {

// One line, without the newline at its end.
std::string runq_json(const RunqWindow& window);

}  // namespace punctual
