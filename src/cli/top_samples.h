// SPDX-License-Identifier: GPL-2.0-only
// What `punctual top` has measured: the samples that its windows lie between, and the facts of a window.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "measure/waits.h"
#include "view/top_facts.h"

namespace punctual {

struct TopSample {
	WaitSnapshot waits;
	TopScheduler scheduler;
};

struct TopSamples {
	TopSample reset;  // where the window "since reset" begins
	TopSample previous;
	TopSample latest;

	void add(TopSample sample);
	void reset_now() { reset = latest; }
	// Of the window since the reset, or of the last interval.
	TopFacts facts(bool since_reset, const std::vector<u32>& cache_of_cpu) const;
};

// Which scheduler runs: read from sysfs, and from the kernel's list of programs only when it is another one. How the
// one before ended is in the kernel's log.
class TopSchedulerWatch {
 public:
	TopScheduler look(u64 now_ns);

 private:
	bool has_looked_ = false;
	TopScheduler last_;
	SchedExtLog log_;
	std::optional<u64> born_ns_;
};

}  // namespace punctual
