// SPDX-License-Identifier: GPL-2.0-only
// The table of counters of a bench or a roll-out: a row for each arm and side.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "bench/result.h"
#include "view/html_page.h"

namespace punctual {

struct CountedArm {
	std::string name;
	int color = -1;  // as in the page's figures; -1: none
	SideCounts counts;
	uint64_t packets = 0;
};
PageSection counters_section(std::span<const CountedArm> arms);

// nullopt when nobody counted. Of several starts the sum, in time too.
std::optional<PageSection> counters_section(std::span<const BenchResult> starts);

}  // namespace punctual
