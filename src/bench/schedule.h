// SPDX-License-Identifier: GPL-2.0-only
// When the packets arrive: decided before the run, by a rate and a seed alone, so that neither a slow
// packet function nor a busy machine can thin out the load that it is measured with (open loop).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace punctual {

enum class Gaps { constant, poisson };

// Packets come one by one, or several at one moment; bursts have constant gaps.
struct Arrivals {
	Gaps gaps = Gaps::constant;
	uint64_t burst_packets = 1;

	bool operator==(const Arrivals&) const = default;
};

constexpr uint64_t kBurstPackets = 32;  // of "bursts" without a number

// "constant", "poisson", "bursts" or "bursts:N". Error (usage) names the choices.
Result<Arrivals> parse_arrivals(std::string_view text);
std::string arrivals_text(Arrivals arrivals);  // as parse_arrivals() reads it

struct ScheduleOptions {
	Arrivals arrivals;
	uint64_t rate_per_s = 60'000;  // packets, also when they come in bursts
	Nanoseconds length{};
	uint64_t seed = 1;
};

// Arrival times in ns from the start, ascending, all below `length`. The seed draws the gaps of
// Poisson arrivals, and the phase of all others within the first gap (a constant load can lock
// to the kernel's tick; another seed shows whether it did). The same on every machine.
// Error (usage) when that would be more than 2^26 packets (512 MB).
Result<std::vector<uint64_t>> make_schedule(const ScheduleOptions& options);

}  // namespace punctual
