// SPDX-License-Identifier: GPL-2.0-only
// What BPF programs cost by the kernel's own statistics: runs, and the time in them. The two clock reads of the
// statistics are in that time too, so a program that does nothing is measured first and subtracted.
#pragma once

#include <chrono>
#include <vector>

#include "abi/types.h"
#include "base/fd.h"
#include "base/result.h"

namespace punctual {

struct ProgramCost {
	u64 nr_runs = 0;
	u64 run_ns = 0;          // in the program and what it calls, without calibration_ns a run
	u64 calibration_ns = 0;  // what an empty program of its kind reads, a run
};

// How the kernel calls a program decides what an empty one reads: the clock is read further away from it where there is
// a trampoline in between.
enum class CalledBy { kernel, trampoline };

struct MeteredProgram {
	int fd;  // not owned; stays open as long as the meter is read
	CalledBy called_by = CalledBy::kernel;
};

class ProgramCostMeter {
 public:
	// Turns the statistics on, for every BPF program of the host, until the meter ends; and calibrates. Errors
	// (lacking): no privilege, or a kernel before 5.8.
	static Result<ProgramCostMeter> start(const std::vector<MeteredProgram>& programs);

	// Since start(), in the order of the programs. One that is gone keeps what it had.
	std::vector<ProgramCost> read();
	u64 elapsed_ns() const;

 private:
	struct Row {
		int fd;
		ProgramCost before;
		ProgramCost last;
	};
	UniqueFd statistics_;
	std::vector<Row> rows_;
	std::chrono::steady_clock::time_point since_ = {};
};

}  // namespace punctual
