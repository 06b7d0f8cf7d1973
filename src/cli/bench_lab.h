// SPDX-License-Identifier: GPL-2.0-only
// The benchmark in the lab: a boot of its own for every arm, all of the same image, so that no arm inherits anything
// from another; in virtual time the same run gives the same figures.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/stop.h"
#include "base/units.h"
#include "bench/arms.h"
#include "bench/result.h"
#include "lab/lab.h"

namespace punctual {

struct LabBench {
	std::string kernel;  // a series: "6.18"
	LabTime time = LabTime::virtual_time;
	int cpus = 1;                           // of the guest
	std::vector<std::string> modules;       // that the load takes
	std::vector<std::string> load_options;  // command line of the bench inside, without the arm
	Nanoseconds load_length{};              // warm-up and window
};

// One result a start, in the order of `arms`. Says on stderr what is done. Error of the first arm that failed, with
// the exit code that it had inside; invalid when the boots turn out not to have been alike.
Result<std::vector<BenchResult>> bench_in_lab(const std::vector<Arm>& arms, std::span<const LabBench> starts,
					      StopSignal& stop);

}  // namespace punctual
