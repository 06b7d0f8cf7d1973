// SPDX-License-Identifier: GPL-2.0-only
// BPF programs as a profile needs them, whoever loaded them: the callbacks of the scheduler that the kernel runs now,
// or any program by its id. Needs root.
#pragma once

#include <string>
#include <vector>

#include "abi/types.h"
#include "base/fd.h"
#include "base/result.h"
#include "object/program_cost.h"

namespace punctual {

struct ProfiledProgram {
	UniqueFd fd;
	u32 id = 0;
	std::string name;      // the kernel keeps 15 characters
	std::string callback;  // the member of sched_ext_ops: "enqueue"; "" when it is none of the loaded scheduler
	CalledBy called_by = CalledBy::kernel;
	std::vector<u64> addresses;  // where its functions begin; none when the kernel does not tell
};

// In the order of the members of sched_ext_ops; none when the kernel runs its own scheduler. Found through the value of
// the scheduler's map, in which the kernel puts the ids: names and maps of the object do not matter.
Result<std::vector<ProfiledProgram>> callbacks_of_scheduler();

// Error (usage): there is no such program; (lacking): no privilege.
Result<ProfiledProgram> program_by_id(u32 id);

}  // namespace punctual
