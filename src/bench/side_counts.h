// SPDX-License-Identifier: GPL-2.0-only
// What both sides of a trial used in its window, by the kernel's perf events.
#pragma once

#include <string_view>

#include "base/perf_counters.h"

namespace punctual {

struct SideCounts {
	EventCounts vnf;         // from the first packet that counts until the ring was empty
	EventCounts background;  // in the window; all processes of it

	void add(const SideCounts& other);
	bool operator==(const SideCounts&) const = default;
};

// Nanoseconds of a CPU for each of `packets`; 0 when there were none.
double vnf_ns_per_packet(const SideCounts& counts, uint64_t packets);
// The same with the background's: where the CPU is never idle, a matter of the rate alone.
double both_ns_per_packet(const SideCounts& counts, uint64_t packets);

// "context_switches", as in JSON.
std::string_view event_key(CountedEvent event);

}  // namespace punctual
