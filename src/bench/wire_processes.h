// SPDX-License-Identifier: GPL-2.0-only
// What the three processes of a trial with real packets do. Each is called in its own process and
// returns its exit status; what it found is in the board of the wire.
#pragma once

#include <cstdint>
#include <span>

#include "bench/board.h"
#include "bench/packet_network.h"
#include "bench/packet_plane.h"
#include "bench/wire_board.h"
#include "bench/work.h"
#include "bench/worker.h"

namespace punctual {

struct GeneratorTask {
	int fd;
	std::span<const uint64_t> schedule_ns;  // from the start of the board's window minus the warm-up
	uint64_t warmup_ns;
	uint64_t length_ns;  // of the schedule
	bool has_cpu;        // nobody whom it would delay: it may spin for the last microseconds
};
// Open loop: each packet is sent when it is due, or as soon as possible afterwards; up to 8 that are due by one call.
// What is not sent soon after the end of the schedule is not sent at all.
int run_generator(WireBoard& wire, const Board& board, const Gate& gate, const GeneratorTask& task);

struct FunctionTask {
	PacketPlane plane;
	int receive_fd;
	int forward_fd;
	PacketRingSize ring;  // of af_packet
	WorkLength work;
};
// Receives, works, notes the time in the packet, forwards it; until the sink says that it is over.
int run_wire_function(WireBoard& wire, const Board& board, const FunctionTask& task);

// Counts what arrives, and decides when it is over: everything came, or 2 s have passed since the last was sent.
int run_sink(WireBoard& wire, const Board& board, int fd, uint64_t nr_scheduled);

}  // namespace punctual
