// SPDX-License-Identifier: GPL-2.0-only
// What BPF programs cost by the kernel's own statistics: runs, and the time in them. The two clock reads of the
// statistics are in that time too, so a program that does nothing is measured first and subtracted.
#pragma once

#include <optional>
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

struct ProgramCosts {
	std::vector<ProgramCost> programs;  // in the order in which they were given
	u64 elapsed_ns = 0;
};

// How the kernel calls a program decides what an empty one reads: the clock is read further away from it where there is
// a trampoline in between.
enum class CalledBy { kernel, trampoline };

struct MeteredProgram {
	int fd;  // not owned; stays open as long as the meter is read
	CalledBy called_by = CalledBy::kernel;
};

// The time in the loaded program of this id since the kernel's BPF statistics were first on, as they tell it; nullopt:
// they never were, the program is gone, or no privilege.
std::optional<u64> program_run_ns(u32 id);

class ProgramCostMeter {
 public:
	// Turns the statistics on, for every BPF program of the host, until the meter ends; and calibrates. Errors
	// (lacking): no privilege, or a kernel before 5.8.
	static Result<ProgramCostMeter> start(const std::vector<MeteredProgram>& programs);

	// Since start().
	ProgramCosts read() const;

 private:
	// What the statistics say of all programs, at one time: whoever reads them may lose the CPU meanwhile.
	struct Reading {
		std::vector<ProgramCost> programs;
		u64 at_ns = 0;
	};
	Reading read_at_once() const;

	UniqueFd statistics_;
	std::vector<int> fds_;
	std::vector<u64> calibrations_ns_;
	Reading before_;
};

}  // namespace punctual
