// SPDX-License-Identifier: GPL-2.0-only
// Recorded waits as a Perfetto trace (ui.perfetto.dev reads it): what each window was like as counters, the longest
// waits as slices, changes of the scheduler as instants. Times stay CLOCK_MONOTONIC.
#pragma once

#include <string>
#include <vector>

#include "measure/waits.h"

namespace punctual {

class PerfettoTrace {
 public:
	PerfettoTrace();

	// p99, longest and number of the waits of a window, from its beginning on.
	void add_window(u64 begin_ns, const WaitSnapshot& window);
	// A slice each, on tracks of its CPU: waits for one CPU overlap, so there are several tracks. In any order.
	void add_outliers(std::vector<WaitOutlier> outliers, const WaitSnapshot& total);
	void add_instant(u64 at_ns, const std::string& name);

	const std::string& bytes() const { return bytes_; }

 private:
	std::string bytes_;
};

}  // namespace punctual
