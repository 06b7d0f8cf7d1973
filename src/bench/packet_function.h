// SPDX-License-Identifier: GPL-2.0-only
// The latency side: one process that serves a packet ring and notes how late each packet was, counted
// from the moment it was due. Its loop makes no system call but the sleep for the next packet.
#pragma once

#include <span>

#include "bench/board.h"
#include "bench/options.h"
#include "bench/work.h"
#include "bench/worker.h"
#include "measure/histogram.h"

namespace punctual {

struct PacketFigures {
	Histogram latency;  // of the packets that were served
	uint64_t offered = 0;
	uint64_t dropped = 0;
	uint64_t sleeps = 0;
	uint64_t work_ns = 0;  // what the packets served take when nothing interrupts
	EventCounts counts{};  // when counters are on
	Progress used{};       // during the window and until the ring was empty
};

class PacketFunction {
 public:
	// Starts the process; it waits at the gate. The schedule counts from `start_ns` of the board minus
	// the warm-up, and both it and the board outlive this object.
	static Result<PacketFunction> start(const BenchOptions& options, const ScopedCgroup& cgroup, const Gate& gate,
					    const Board& board, std::span<const uint64_t> schedule_ns, WorkLength work);
	PacketFunction(PacketFunction&& other) noexcept;
	PacketFunction& operator=(PacketFunction&&) = delete;
	~PacketFunction();

	pid_t pid() const { return worker_.pid(); }
	int pidfd() const { return worker_.pidfd(); }
	bool is_ready() const;  // waits at the gate with its memory in place
	Status still_runs() { return worker_.still_runs(); }
	// After the last packet. Error (invalid) when the packets do not add up.
	Result<PacketFigures> finish();

 private:
	struct Report;
	PacketFunction(Worker worker, Report* report) : worker_(std::move(worker)), report_(report) {}
	static int run(Report& report, const BenchOptions& options, const Gate& gate, const Board& board,
		       std::span<const uint64_t> schedule_ns, WorkLength work);
	Worker worker_;
	Report* report_;  // shared with the process
};

}  // namespace punctual
