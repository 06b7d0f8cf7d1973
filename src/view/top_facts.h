// SPDX-License-Identifier: GPL-2.0-only
// What `punctual top` shows, as plain values: the command collects them, tests make them by hand.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/sched_ext_log.h"
#include "measure/waits.h"

namespace punctual {

struct TopScheduler {
	bool has_sched_ext = false;
	std::string name;                // "": the kernel's own
	bool serves_all = true;          // false: partial mode, only policy SCHED_EXT
	std::optional<u64> age_ns = {};  // since it was loaded; of the kernel's own: since it was seen to come back
	u64 enable_seq = 0;              // how often one was enabled since boot
	u64 nr_rejected = 0;             // tasks that it refused to serve
	bool has_changed = false;        // in the window: the waits are of more than one scheduler
	u64 nr_ejections = 0;            // that the kernel's log still tells of
	std::optional<SchedExtEnd> last_end = {};
};

struct TopFacts {
	WaitSnapshot waits;  // of the window
	u64 window_ns = 0;
	WaitLosses losses;              // since the collector was attached: one that scrolled by is still one
	std::vector<u32> cache_of_cpu;  // number of the last-level cache, by CPU; CPUs beyond it: 0
	TopScheduler scheduler;
};

}  // namespace punctual
