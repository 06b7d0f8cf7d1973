// SPDX-License-Identifier: GPL-2.0-only
// A task as the simulated kernel knows it.
#pragma once

#include "sim/cpu_set.h"
#include "sim/packet_ring.h"
#include "sim/random.h"
#include "sim/scenario.h"

namespace punctual::sim {

constexpr u64 kWorkForeverNs = ~0ULL >> 2;  // of who never sleeps

// Where a task is. It is in one place at a time; the audit counts.
enum class TaskPlace : u8 {
	asleep,
	waking,   // its CPU is chosen, but that CPU's run queue is locked
	placing,  // inside a callback, between two places
	local,    // on a CPU's own queue, from which the kernel runs it
	queued,   // on a queue of the scheduler
	running,
	fallback,  // on the kernel's own queue: no scheduler is loaded
	dead,
};

// Where a script is.
struct ScriptState {
	u32 next = 0;             // step
	bool is_waiting = false;  // for what only others, or the clock, end
	u64 until_ns = ~0ULL;     // the clock does
	u32 retake = kNoObject;   // a mutex, before it goes on
	u64 begun_ns = 0;
	u64 times[kScriptSlots] = {};
	u32 mask = 0;  // of TaskSpec::masks, which it asked for
};

struct Task {
	const TaskSpec* spec = nullptr;
	u32 index = 0;       // in the kernel's table; used again after a task died
	u32 spec_index = 0;  // in Scenario::tasks
	u32 generation = 0;  // of the table's row
	u32 pid = 0;
	CpuSet cpus;
	u32 nr_cpus_allowed = 0;
	u32 cpu = 0;       // whose run queue it belongs to
	u32 last_cpu = 0;  // on which it ran last
	u32 queue = 0;     // with TaskPlace::queued
	u32 group = kRootGroup;
	TaskPlace place = TaskPlace::asleep;
	bool unmovable = false;        // migration is disabled: it changes only while it runs
	bool preempted = false;        // its slice was taken from it
	bool wait_open = false;        // it has not run since it became runnable
	bool is_child = false;         // of a fork
	bool is_leaving = false;       // on its way to sleep
	bool interrupt_comes = false;  // that will wake it
	u64 slice_ns = 0;
	u64 key = 0;  // p->scx.dsq_vtime
	u64 sum_exec_ns = 0;
	u64 waited_ns = 0;  // p->sched_info.run_delay: waits that are over
	u64 queued_ns = 0;  // since when it waits
	u64 runnable_ns = 0;
	u64 placed_ns = 0;  // since when it is in its place
	u64 worked_ns = 0;  // of its own running time, without switches: where its sections lie
	u64 work_left_ns = 0;
	u64 own_work_ns = 0;  // of what it is there for, all in all
	PacketRing ring;
	ScriptState script;
	Random random{0};    // for what it does
	Random arrivals{0};  // for its packets, which come at the same times whatever the schedule

	bool is_pinned() const { return nr_cpus_allowed == 1 || unmovable; }
	bool is_bound_kthread() const { return spec->kthread && nr_cpus_allowed == 1; }
	bool may_run_on(u32 there) const { return cpus.has(there) && (!unmovable || there == cpu); }
	u32 class_index() const { return spec->class_index; }
};

}  // namespace punctual::sim
