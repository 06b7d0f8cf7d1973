// SPDX-License-Identifier: GPL-2.0-only
// Counts run-queue waits in the kernel, under any scheduler, by tracepoints with BTF (bpf/runq.bpf.c).
//
// The probes live as long as the Collector; nothing is pinned, so nothing stays behind after a kill -9.
// One thread at a time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "base/cpu_list.h"
#include "base/result.h"
#include "measure/waits.h"

namespace punctual {

struct CollectorOptions {
	std::optional<CpuList> cpus = {};   // only waits that end there; none: all
	std::optional<u64> cgroup_id = {};  // only tasks of it and of what is below it
	std::optional<u32> tgid = {};       // only threads of this process
	bool tasks = false;                 // read the tasks in each snapshot: it takes a look at every task
	bool waking = false;                // also the time from sched_waking to sched_wakeup
	u64 outlier_ns_min = 0;             // 0: the threshold follows p99.9 of what was seen
	u32 outliers_per_second_max = 100;
	u32 cgroups_max = 256;  // rows; the rest is counted as "(other)"
};

// What our own probes cost, since cost() was asked for first.
struct ProbeCost {
	u64 nr_events = 0;
	u64 run_ns = 0;          // in our programs, without what BPF statistics themselves add
	u64 calibration_ns = 0;  // what an empty program shows, per event
	u64 elapsed_ns = 0;
};

class Collector {
 public:
	// Loads and attaches. Errors (lacking): no root, no BTF, a kernel older than 6.1; each with the remedy.
	static Result<Collector> attach(const CollectorOptions& options);
	Collector(Collector&&) noexcept;
	Collector& operator=(Collector&&) noexcept;
	~Collector();

	Result<WaitSnapshot> snapshot();
	// Waits above the threshold since the last call, oldest first; snapshot() moves the threshold. The buffer holds
	// some 600, so ask once in a few seconds.
	Result<std::vector<WaitOutlier>> outliers();
	// Turns the kernel's BPF statistics on from the first call to our end: they cost every BPF program of the
	// host two clock reads, so nobody gets them unasked.
	Result<ProbeCost> cost();

 private:
	struct State;
	explicit Collector(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

}  // namespace punctual
