// SPDX-License-Identifier: GPL-2.0-only
// Turning an arm into a state of the kernel, and making sure that it is that state which was measured.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/cgroup.h"
#include "base/cpu_list.h"
#include "base/sched_ext.h"
#include "bench/arms.h"
#include "object/scheduler.h"

namespace punctual {

// The cgroups of both sides. The cpu controller is on for them only in the arms that set a weight:
// with it the kernel shares time between the cgroups first, which makes nice values of single
// processes meaningless, and on a fresh system it is off until somebody asks for a weight. Where other
// cgroups lie beside ours it stays as it is, since switching it off would lose their weights. What was on before stands
// in an attribute of vnf.slice, the first to be made and the last to be removed: the next run puts back what a killed
// one changed.
class Sides {
 public:
	// `cpus` are those of the trial, which the arm may share out.
	static Result<Sides> create(const Arm& arm, const CpuList& cpus);
	Sides(Sides&& other) noexcept;
	Sides& operator=(Sides&&) = delete;
	~Sides();

	// After a killed run, before its cgroups are removed; create() does it too. What others rely on by now stays
	// on.
	static void put_back_controllers();

	const ScopedCgroup& vnf() const { return *vnf_; }
	const ScopedCgroup& telemetry() const { return *telemetry_; }

 private:
	Sides() = default;
	Status give_cpus(const Arm& arm, const CpuList& cpus);
	std::filesystem::path controls_;  // cgroup.subtree_control, to be put back at the end; empty: leave
	bool was_on_ = false;
	std::filesystem::path cpusets_;  // the same file, when we switched the cpuset controller on
	std::optional<ScopedCgroup> vnf_;
	std::optional<ScopedCgroup> telemetry_;
};

// What can be known before anything runs: a run of many arms must not end at the third one because the
// kernel lacks a feature. Error (lacking) with the remedy.
Status refuse_impossible(const Arm& arm);

// Gives the packet function what the arm promises it. Error (lacking) with the remedy.
Status favour(const Arm& arm, pid_t packet_function, const Sides& sides);

struct Feasibility {
	uint64_t windows = 0;  // of 100 ms; policy/feasible.h decides
	uint64_t infeasible_windows = 0;
};

// Which scheduler is on, from before the window until after it.
class SchedulerWatch {
 public:
	// Loads the arm's scheduler, or makes sure that none is loaded (else error: lacking).
	static Result<SchedulerWatch> begin(const Arm& arm, const ScopedCgroup& vnf);
	// Error (ejected) with the kernel's reason, or (invalid) when another one came or went meanwhile.
	Status end();
	// From here on waits and verdicts count; without it, from when the scheduler was loaded.
	void begin_window();
	// Waits of the packet function's class since then. nullopt: the scheduler counts none, or has ended.
	std::optional<class_stats> waits() const;
	// How often since then the scheduler judged whether the class's budget can be kept, and found that it cannot.
	Feasibility feasibility();
	std::string ops() const { return scheduler_ ? scheduler_->name() : ""; }
	uint64_t enable_seq() const { return state_.enable_seq; }

 private:
	SchedulerWatch() = default;
	std::optional<Scheduler> scheduler_;
	SchedExtState state_;
	class_stats waits_before_{};
	Feasibility feasibility_before_{};
};

}  // namespace punctual
