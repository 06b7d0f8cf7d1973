// SPDX-License-Identifier: GPL-2.0-only
// What switches, interrupts and the way into sleep cost under each scheduler: the calibration file of `punctual sim`.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sim/scenario.h"

namespace punctual::sim {

struct CostTable {
	std::string origin;  // where the figures come from, for the report
	CostSpec latency, eevdf, realtime, queue;

	const CostSpec& of(PolicyKind policy) const;
};

// Measured in the lab, kernel 6.18, one CPU in virtual time (one instruction is one ns), spinners beside the packet
// function: `punctual sim calibrate` gives them again. What a CPU of one instruction a ns cannot show (idle exit, what
// a remote CPU costs, SMT) is 0 or the least that is known; a file may say better.
CostTable default_costs();

// A TOML file: `origin`, and a table for each of scx_latency, eevdf, fifo and queue with any of the costs by the names
// that costs_toml() writes. What it does not name stays as in default_costs(). Errors (usage) name file, line and key.
Result<CostTable> parse_costs(std::string_view text, std::string_view file);
std::string costs_toml(const CostTable& costs);

}  // namespace punctual::sim
