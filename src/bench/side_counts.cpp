// SPDX-License-Identifier: GPL-2.0-only
#include "bench/side_counts.h"

namespace punctual {
namespace {

double per_packet(uint64_t ns, uint64_t packets)
{
	return packets == 0 ? 0 : static_cast<double>(ns) / static_cast<double>(packets);
}

uint64_t cpu_ns(const EventCounts& counts)
{
	return counts.of(CountedEvent::task_clock).value_or(0);
}

}  // namespace

void SideCounts::add(const SideCounts& other)
{
	vnf.add(other.vnf);
	background.add(other.background);
}

double vnf_ns_per_packet(const SideCounts& counts, uint64_t packets)
{
	return per_packet(cpu_ns(counts.vnf), packets);
}

double both_ns_per_packet(const SideCounts& counts, uint64_t packets)
{
	return per_packet(cpu_ns(counts.vnf) + cpu_ns(counts.background), packets);
}

std::string_view event_key(CountedEvent event)
{
	constexpr std::array<std::string_view, kCountedEvents> kKeys = {
	    "task_clock_ns", "context_switches", "migrations", "page_faults", "cycles", "instructions", "cache_misses"};
	return kKeys[static_cast<size_t>(event)];
}

}  // namespace punctual
