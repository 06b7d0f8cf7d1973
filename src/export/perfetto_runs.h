// SPDX-License-Identifier: GPL-2.0-only
// Who ran when on which CPU, as a Perfetto trace (ui.perfetto.dev reads it): a track a CPU, a slice for each stay of a
// task on it, instants for what happened there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "measure/histogram.h"

namespace punctual {

class PerfettoRuns {
 public:
	// Tracks of CPUs 0 to nr_cpus - 1, named "PREFIX CPU 0"; what is added later goes to these. Several groups may
	// be in one trace, side by side.
	void begin_group(std::string_view prefix, u32 nr_cpus);
	void add_run(u32 cpu, u64 begin_ns, u64 end_ns, std::string_view name);
	void add_instant(u32 cpu, u64 at_ns, std::string_view name);

	const std::string& bytes() const { return bytes_; }

 private:
	std::string bytes_;
	u64 first_track_ = 1;
	u64 next_track_ = 1;
};

}  // namespace punctual
