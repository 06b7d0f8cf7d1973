// SPDX-License-Identifier: GPL-2.0-only
// Run-queue waits as they were counted: by CPU, cgroup and task, with what was lost on the way.
//
// Plain values, without a kernel behind them: the collector (src/runq/collector.h) fills them, recordings keep
// them, views draw them. A snapshot holds totals since the collector was attached; what happened in an interval
// is the difference of two. Times are nanoseconds of CLOCK_MONOTONIC unless the name says otherwise.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "abi/loglin.h"
#include "abi/types.h"

namespace punctual {

// How a wait began. docs/runq.md has the definition.
enum class WaitKind : u8 { wakeup, preempted, created };
constexpr u32 kWaitKinds = 3;
constexpr std::array<std::string_view, kWaitKinds> kWaitKindNames = {"wakeup", "preempted", "new"};

struct WaitSums {
	u64 nr = 0;
	u64 sum_ns = 0;
	u64 max_ns = 0;  // since attached, or of the interval where the interval's is known

	bool operator==(const WaitSums&) const = default;
};

// A distribution of waits in the buckets of abi/loglin.h (LOGLIN_RUNQ_BITS: 3.1 % wide). Sum and maximum are exact.
class WaitCounts {
 public:
	static constexpr double kErrorMax = 1.0 / (1 << LOGLIN_RUNQ_BITS);

	std::vector<u64> buckets;  // LOGLIN_RUNQ_BUCKETS of them, or none when nothing was counted
	u64 sum_ns = 0;
	u64 max_ns = 0;

	u64 count() const;  // the sum of the buckets
	void record(u64 wait_ns, u64 times = 1);
	void merge(const WaitCounts& other);
	// What was counted from `before` on. The maximum is exact when it is the largest so far; else it is the end of
	// the highest bucket that counted, so it errs upwards by at most kErrorMax.
	WaitCounts since(const WaitCounts& before) const;
	// Nearest rank; the upper end of its bucket, never more than max_ns, so it errs upwards by at most kErrorMax.
	// 0 when nothing was counted.
	u64 quantile_ns(double q) const;

	bool operator==(const WaitCounts&) const = default;
};

struct CpuWaits {
	u32 cpu = 0;  // where the wait ended
	std::array<WaitCounts, kWaitKinds> kinds;

	WaitCounts all() const;
	bool operator==(const CpuWaits&) const = default;
};

// Throttling by cpu.max looks like run-queue latency, so it is told beside it (cpu.stat of the cgroup).
struct Throttling {
	u64 nr_periods = 0;
	u64 nr_throttled = 0;
	u64 throttled_ns = 0;

	bool operator==(const Throttling&) const = default;
};

struct CgroupWaits {
	u64 id = 0;        // of the default hierarchy; 0: the row "(other)"
	std::string path;  // "/vnf.slice"; kept when the cgroup was removed
	bool removed = false;
	WaitCounts waits;  // of all kinds
	Throttling throttling;

	bool operator==(const CgroupWaits&) const = default;
};

struct TaskWaits {
	u32 pid = 0;       // of the thread
	u32 tgid = 0;      // of its process
	u64 start_ns = 0;  // when the thread was created: a pid that is used again is another task
	std::string comm;
	u64 cgroup_id = 0;
	WaitSums waits;

	bool operator==(const TaskWaits&) const = default;
};

// How long tasks of `culprit` ran while tasks of `victim` waited for the same CPU.
struct Culprit {
	u64 victim_id = 0;   // cgroup ids; 0: "(other)"
	u64 culprit_id = 0;  // kUnknownCulprit: nobody knows any more
	u64 ran_ns = 0;

	bool operator==(const Culprit&) const = default;
};
constexpr u64 kUnknownCulprit = ~0ULL;

struct Runner {
	u32 pid = 0;
	std::string comm;
	u64 cgroup_id = 0;
	u64 ran_ns = 0;  // of the wait

	bool operator==(const Runner&) const = default;
};

// One wait above the threshold, and who ran meanwhile, the latest first.
struct WaitOutlier {
	u64 end_ns = 0;
	u64 wait_ns = 0;
	WaitKind kind = WaitKind::wakeup;
	u32 cpu = 0;
	u32 pid = 0;
	std::string comm;
	u64 cgroup_id = 0;
	std::vector<Runner> runners;

	bool operator==(const WaitOutlier&) const = default;
};

// What the counts do not hold, or hold with reserve. No verdict when `lost` is above the limit.
struct WaitLosses {
	u64 lost = 0;                  // events that the kernel or we could not count
	u64 discarded = 0;             // waits that would have ended before they began
	u64 unknown_start = 0;         // tasks that waited already when we attached
	u64 wakeup_while_running = 0;  // wakeups that begin no wait
	u64 wakeup_while_queued = 0;   // wakeups in a wait: the first counts
	u64 unseen_switches = 0;       // switches away from a task of which the kernel did not tell
	u64 outliers_dropped = 0;      // above the threshold, but over the rate or the buffer

	bool operator==(const WaitLosses&) const = default;
};

// All of them, in the order in which recordings have them.
inline constexpr std::array kLossFields = {&WaitLosses::lost,
					   &WaitLosses::discarded,
					   &WaitLosses::unknown_start,
					   &WaitLosses::wakeup_while_running,
					   &WaitLosses::wakeup_while_queued,
					   &WaitLosses::unseen_switches,
					   &WaitLosses::outliers_dropped};

// Waits that have not ended (censored): no histogram holds them.
struct OpenWaits {
	u64 nr = 0;
	u64 longest_ns = 0;
	u32 pid = 0;  // of the longest
	std::string comm;

	bool operator==(const OpenWaits&) const = default;
};

struct WaitSnapshot {
	u64 at_ns = 0;
	std::vector<CpuWaits> cpus;  // ascending
	// "(other)" among them when it holds something. Some only ran and never waited.
	std::vector<CgroupWaits> cgroups;
	std::vector<TaskWaits> tasks;  // those alive; empty unless asked for
	std::vector<Culprit> culprits;
	std::optional<WaitCounts> waking;  // from sched_waking to sched_wakeup; only on request
	WaitLosses losses;
	OpenWaits open;

	WaitCounts all() const;              // over CPUs and kinds
	WaitCounts of_kind(WaitKind) const;  // over CPUs
	const CgroupWaits* cgroup(u64 id) const;
	bool operator==(const WaitSnapshot&) const = default;
};

// Its path; "(other)", "(unknown)" for kUnknownCulprit, or "(id N)" when nobody knows its name. As it came: not
// cleaned.
std::string cgroup_path(const WaitSnapshot& waits, u64 id);

// What happened from one snapshot to a later one of the same collector: counts are subtracted; open waits, names
// and the maxima of tasks are those of the later.
//
// Cgroups that `after` no longer tells of are among its others, with all that they ever counted.
WaitSnapshot waits_between(const WaitSnapshot& before, const WaitSnapshot& after);

// The same snapshot with the cgroups of which `is_told` does not hold counted as "(other)"; also as culprits.
WaitSnapshot fold_cgroups(WaitSnapshot snapshot, const std::function<bool(u64 id)>& is_told);

}  // namespace punctual
