// SPDX-License-Identifier: GPL-2.0-only
// What is measured: the same for every arm of a run.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/cpu_list.h"
#include "base/result.h"
#include "base/units.h"
#include "bench/packet_plane.h"
#include "bench/schedule.h"

namespace punctual {

enum class BackgroundKind { python, spin };

Result<BackgroundKind> parse_background(std::string_view text);
std::string_view background_name(BackgroundKind kind);

struct BenchOptions {
	uint64_t rate_per_s = 60'000;
	Nanoseconds duration = std::chrono::seconds(1);
	Nanoseconds warmup = std::chrono::milliseconds(300);  // same load, not counted
	Nanoseconds settle = std::chrono::seconds(1);         // idle, after the arm is set up
	PacketPlane plane = PacketPlane::ring;
	uint64_t ring_packets = 256;  // with real packets: of the receive buffer, about
	uint64_t rx_usecs = 0;        // from the first packet in an empty ring until the packet function is told
	bool counters = false;        // perf events on both sides; they cost at each switch
	Nanoseconds work = std::chrono::nanoseconds(2500);  // a packet
	Arrivals arrivals;
	uint64_t seed = 1;
	BackgroundKind background = BackgroundKind::python;
	uint64_t background_processes = 0;  // 0: two a CPU
	CpuList cpus;                       // shared by both sides; empty: the last one online
};

// Fills in what was left to us and refuses what cannot be measured (usage).
Result<BenchOptions> complete(BenchOptions options);

}  // namespace punctual
