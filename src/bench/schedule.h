// SPDX-License-Identifier: GPL-2.0-only
// When the packets arrive: decided before the run, by a rate and a seed alone, so that neither a slow
// packet function nor a busy machine can thin out the load that it is measured with (open loop).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace punctual {

enum class Arrivals { constant, poisson };

Result<Arrivals> parse_arrivals(std::string_view text);
std::string_view arrivals_name(Arrivals arrivals);

struct ScheduleOptions {
	Arrivals arrivals = Arrivals::constant;
	uint64_t rate_per_s = 60'000;
	Nanoseconds length{};
	uint64_t seed = 1;
};

// Arrival times in ns from the start, ascending, all below `length`. The seed draws the gaps of
// Poisson arrivals, and the phase of constant ones within the first gap (a constant load can lock
// to the kernel's tick; another seed shows whether it did). The same on every machine.
// Error (usage) when that would be more than 2^26 packets (512 MB).
Result<std::vector<uint64_t>> make_schedule(const ScheduleOptions& options);

}  // namespace punctual
