// SPDX-License-Identifier: GPL-2.0-only
// What `perf sched record` saw, as a load: text of `perf sched script` or `perf script` (microseconds, or with --ns
// nanoseconds), as perf 6.1 to 6.12 writes it.
//
// Replayed: how long each task ran between two sleeps, and who woke whom after how much running. Never replayed: how
// long anybody waited for a CPU, nor on which CPU. A wakeup that no task gave (the waker was the idle task) comes at
// its time in the trace, as what wakes then is a timer or a device; it is remembered when the task does not sleep yet.
// So each task gets as much running time as in the trace, in whatever order the scheduler gives it.
// An interrupt that came while a task ran is taken for that task: the text does not tell them apart.
#pragma once

#include <string_view>

#include "base/result.h"
#include "sim/script_load.h"

namespace punctual::sim {

struct PerfTrace {
	ScriptLoad load;  // of all tasks but the idle ones; priorities as in the trace
	u64 length_ns = 0;
	u32 nr_cpus = 0;  // up to the highest that is named
	u64 nr_events = 0;
	u64 nr_edges = 0;         // wakeups by tasks
	u64 nr_outside = 0;       // and by others
	u64 nr_not_seen = 0;      // tasks that ran again though nobody was seen to wake them
	u64 nr_inconsistent = 0;  // switches from a task that was not known to run there: some are missing
};

// Text of at most 256 MiB and 65,536 tasks. Lines that are of other events are passed over. Error (usage): not of
// perf sched, a line that is damaged (with its number), or times that go back.
Result<PerfTrace> parse_perf_trace(std::string_view text, std::string_view file);

}  // namespace punctual::sim
