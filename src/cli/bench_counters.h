// SPDX-License-Identifier: GPL-2.0-only
// The table of counters of a bench: a row for each arm and side.
#pragma once

#include <optional>
#include <span>

#include "bench/result.h"
#include "view/html_page.h"

namespace punctual {

// nullopt when nobody counted. Of several starts the sum, in time too.
std::optional<PageSection> counters_section(std::span<const BenchResult> starts);

}  // namespace punctual
