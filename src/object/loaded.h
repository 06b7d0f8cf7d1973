// SPDX-License-Identifier: GPL-2.0-only
// The scheduler that the kernel runs now, whoever loaded it: what it is and what it counts.
// Found through the kernel's own lists of BPF objects, so it works without its loader's help.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "abi/sched.h"
#include "base/result.h"

namespace punctual {

struct LoadedProgram {
	uint32_t id;
	std::string name;
};

struct LoadedScheduler {
	std::string name;        // /sys/kernel/sched_ext/root/ops
	bool serves_all = true;  // false: partial mode, only policy SCHED_EXT
	uint64_t loaded_ns_ago = 0;
	std::vector<LoadedProgram> programs;  // its callbacks
	std::optional<sched_stats> stats;     // of ours only, summed over CPUs
	std::vector<class_stats> classes;     // of scx_latency only: one a budgeted cgroup
	std::vector<class_verdict> verdicts;  // on those of which a window has ended: can the budget be kept?

	// Zeros when no window of the class has ended.
	class_verdict verdict_of(const class_stats& row) const;
};

// nullopt: the kernel runs its own scheduler. Error (lacking): no sched_ext, or no privilege to look.
Result<std::optional<LoadedScheduler>> loaded_scheduler();

// Detaches whatever is loaded, from outside its loader. Error when something is still loaded after 10 s.
Status unload_scheduler();

}  // namespace punctual
