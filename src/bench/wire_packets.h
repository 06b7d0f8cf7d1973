// SPDX-License-Identifier: GPL-2.0-only
// The latency side with real packets: generator, packet function and sink as three processes over a
// PacketNetwork. PacketFunction hands over to it where the packets are not those of the emulated ring.
#pragma once

#include <span>

#include "bench/board.h"
#include "bench/options.h"
#include "bench/packet_account.h"
#include "bench/packet_network.h"
#include "bench/wire_board.h"
#include "bench/work.h"
#include "bench/worker.h"
#include "measure/histogram.h"

namespace punctual {

struct WireFigures {
	Histogram latency;      // of the window's packets that reached the sink
	uint64_t offered = 0;   // in the window
	Progress used{};        // by the packet function
	PacketAccount account;  // residue 0
};

class WirePackets {
 public:
	// Starts the processes; the generator waits at the gate, and nobody else does. Arguments as those of
	// PacketFunction.
	static Result<WirePackets> start(const BenchOptions& options, const ScopedCgroup& cgroup, const Gate& gate,
					 const Board& board, std::span<const uint64_t> schedule_ns, WorkLength work);

	pid_t pid() const { return function_.pid(); }  // of the packet function
	int pidfd() const { return function_.pidfd(); }
	bool is_ready() const;
	Status still_runs();
	// After the last packet. Error (invalid) when packets are missing or the generator was the limit.
	Result<WireFigures> finish();

 private:
	WirePackets(PacketNetwork network, Shared<WireBoard> wire, Worker function, Worker sink, Worker generator);
	Result<PacketAccount> account();

	PacketNetwork network_;
	Shared<WireBoard> wire_;
	Worker function_;
	Worker sink_;
	Worker generator_;
	PacketAccount planned_;  // what is known before the run
	uint64_t offered_ = 0;
};

}  // namespace punctual
