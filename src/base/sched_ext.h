// SPDX-License-Identifier: GPL-2.0-only
// Which scheduler the kernel runs, from the files of sched_ext: cheap enough to ask ten times a second, no privilege.
#pragma once

#include <cstdint>
#include <string>

namespace punctual {

struct SchedExtState {
	bool is_present = false;   // false: a kernel without sched_ext, and the rest is as below
	std::string ops;           // what is loaded; empty: the kernel's own scheduler runs
	bool serves_all = true;    // false: partial mode, only policy SCHED_EXT
	uint64_t enable_seq = 0;   // how often one was enabled since boot: who comes or goes leaves a trace here
	uint64_t nr_rejected = 0;  // tasks that sched_ext would not take

	bool same_scheduler(const SchedExtState& other) const
	{
		return ops == other.ops && enable_seq == other.enable_seq;
	}
};

SchedExtState read_sched_ext();

}  // namespace punctual
