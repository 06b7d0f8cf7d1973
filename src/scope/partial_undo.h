// SPDX-License-Identifier: GPL-2.0-only
// Undoes what a record of partial mode lists, by the process that made the changes or by a later one.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "scope/partial_record.h"

namespace punctual {

// Gives a thread back the policy that the record has for it, SCHED_OTHER where it has none (it was forked
// by one that has). Nothing happens when it no longer is under SCHED_EXT.
Status return_thread(const PartialRecord& record, pid_t tid);

bool is_other(const PartialRecord& record, pid_t tid);  // had SCHED_EXT on its own account

enum class Strays {
	of_machine,  // every thread with SCHED_EXT came from us
	of_slices,   // another scheduler is loaded, which may have its own: only those in the slices
};

// All policies, then the cpuset files in reverse order. Goes on after an error and returns the first.
// `notes` gets a line for what is left alone because somebody else has changed it meanwhile.
Status undo_record(const PartialRecord& record, Strays strays, std::vector<std::string>* notes);

}  // namespace punctual
