// SPDX-License-Identifier: GPL-2.0-only
// What a run showed. Filled while it runs; read afterwards.
#pragma once

#include <string>
#include <vector>

#include "abi/sched.h"
#include "measure/histogram.h"
#include "sim/task.h"

namespace punctual::sim {

enum class TraceKind : u8 { wakes, runs, idles, preempted, kicked, dropped, ejected, attached };

struct TraceEvent {
	u64 at_ns;
	u32 cpu;
	u32 task;
	TraceKind kind;

	bool operator==(const TraceEvent&) const = default;
};

// One stay of a task on a CPU.
struct Run {
	u64 start_ns;
	u64 end_ns;
	u32 cpu;
	u32 task;  // in Scenario::tasks
	bool is_normal;
};

struct ClassRecord {
	Histogram waits;     // from runnable to the first instruction
	Histogram packets;   // from arrival until the packet function is done with it
	u64 nr_offered = 0;  // packets that came and were served or dropped
	u64 nr_dropped = 0;
	class_verdict verdict = {};  // of the scheduler
};

struct TaskRecord {
	u64 cpu_ns = 0;
	u64 nr_waits = 0;
	u64 wait_ns_max = 0;
	u64 nr_migrations = 0;
	u64 nr_preempted = 0;
	u64 nr_runs = 0;  // times that it got a CPU
	u64 nr_sleeps = 0;
	u64 own_work_ns = 0;  // of what it is there for, without what the kernel does on its behalf

	TaskRecord since(const TaskRecord& before) const;  // the longest wait is that of the whole run
};

struct Outcome {
	std::vector<ClassRecord> classes;  // of Scenario::classes, and one more for normal tasks
	std::vector<TaskRecord> tasks;     // of Scenario::tasks; children count for their parent
	std::vector<TaskRecord> counted;   // the same between count_from_ns and count_until_ns
	std::vector<u64> nr_preempted;     // by CPU: running tasks that were told to leave, and did
	std::vector<Histogram> rows;       // waits, as many as Scenario::nr_rows
	std::vector<Run> runs;             // with Scenario::keep_trace
	std::vector<TraceEvent> trace;     // the same
	std::vector<std::string> broken;   // invariants; at most kBrokenMax
	u64 trace_hash = 0xcbf29ce484222325ULL;
	u64 nr_events = 0;
	u64 stopped_ns = 0;     // when the watcher ended the run; 0: it went to its end
	u64 ended_ns = 0;       // when the last script ended; 0: some did not
	u64 nr_unfinished = 0;  // scripts that still wait or run at the end
	u64 nr_ejected = 0;
	u64 nr_forked = 0;
	u64 reserve_ns_max = 0;  // the largest that a CPU had measured, the switch included
	u64 nr_floor_granted = 0;
	u64 nr_timer_preempted = 0;
	u64 nr_starved = 0;
	u64 nr_remote = 0;            // budgeted tasks that were given to another cache
	u32 nr_wakeup_looks_max = 0;  // the most CPUs that a wakeup looked at,
	u32 nr_urgent_looks_max = 0;  // and a timer

	static constexpr size_t kBrokenMax = 20;

	const ClassRecord& normal() const { return classes.back(); }
	void note(u64 at_ns, TraceKind kind, u32 cpu, u32 task, bool keep);
};

// The CPU time of normal tasks on one CPU: the least in any window of that length between two moments.
u64 least_normal_ns(const Outcome& outcome, u32 cpu, u64 window_ns, u64 from_ns, u64 to_ns);

// The CPU time of one task of the scenario between two moments.
u64 cpu_ns_between(const Outcome& outcome, u32 task, u64 from_ns, u64 to_ns);

}  // namespace punctual::sim
