// SPDX-License-Identifier: GPL-2.0-only
// The side that wants throughput: telemetry in Python, or native spinners. It never sleeps, and
// counts its work in steps small enough that the figure for the window is good to 0.1 %.
#pragma once

#include <vector>

#include "bench/board.h"
#include "bench/options.h"
#include "bench/worker.h"

namespace punctual {

class Background {
 public:
	// Starts options.background_processes processes, each with its own slot of the board; they wait at
	// the gate. Error (lacking) when there is no Python, naming the other background.
	static Result<Background> start(const BenchOptions& options, const ScopedCgroup& cgroup, const Gate& gate,
					const Board& board);
	// Error (failed) when one of them ended: they run until they are killed.
	Status still_runs();

 private:
	explicit Background(std::vector<Worker> workers) : workers_(std::move(workers)) {}
	std::vector<Worker> workers_;
};

// What Background counts: "telemetry steps", "iterations".
std::string_view background_unit(BackgroundKind kind);

}  // namespace punctual
