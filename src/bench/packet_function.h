// SPDX-License-Identifier: GPL-2.0-only
// The latency side: one process that serves a packet ring and notes how late each packet was, counted
// from the moment it was due. Its loop makes no system call but the sleep for the next packet. With real
// packets WirePackets takes its place.
#pragma once

#include <optional>
#include <span>

#include "bench/board.h"
#include "bench/options.h"
#include "bench/wire_packets.h"
#include "bench/work.h"
#include "bench/worker.h"
#include "measure/histogram.h"

namespace punctual {

struct PacketFigures {
	Histogram latency;  // of the packets that were served
	uint64_t offered = 0;
	uint64_t dropped = 0;
	uint64_t sleeps = 0;
	uint64_t work_ns = 0;                  // what the packets served take when nothing interrupts
	EventCounts counts{};                  // when counters are on
	Progress used{};                       // during the window and until the ring was empty
	std::optional<PacketAccount> account;  // of real packets
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

	pid_t pid() const { return wire_ ? wire_->pid() : worker_->pid(); }
	int pidfd() const { return wire_ ? wire_->pidfd() : worker_->pidfd(); }
	bool is_ready() const;  // waits at the gate with its memory in place
	Status still_runs() { return wire_ ? wire_->still_runs() : worker_->still_runs(); }
	// After the last packet. Error (invalid) when the packets do not add up.
	Result<PacketFigures> finish();

 private:
	struct Report;
	PacketFunction(Worker worker, Report* report) : worker_(std::move(worker)), report_(report) {}
	static int run(Report& report, const BenchOptions& options, const Gate& gate, const Board& board,
		       std::span<const uint64_t> schedule_ns, WorkLength work);
	PacketFunction(WirePackets wire, WorkLength work) : wire_(std::move(wire)), wire_work_(work) {}
	Result<PacketFigures> finish_wire();
	std::optional<Worker> worker_;
	Report* report_ = nullptr;  // shared with the process
	std::optional<WirePackets> wire_;
	WorkLength wire_work_{};
};

}  // namespace punctual
