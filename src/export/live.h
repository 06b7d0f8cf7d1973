// SPDX-License-Identifier: GPL-2.0-only
// What `punctual serve` tells of a machine at one moment: as metrics for Prometheus, and as JSON for its page.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "measure/waits.h"

namespace punctual {

// A cgroup with a budget, since the scheduler was loaded; "recent" is the last minute.
struct LiveClass {
	std::string cgroup = {};
	u64 budget_ns = 0;
	u64 nr_waits = 0;
	u64 nr_missed = 0;
	u64 wait_ns_sum = 0;
	u64 nr_windows = 0;
	u64 nr_infeasible = 0;
	std::string infeasible = {};  // why the budget could not be kept, the last time; "": it could
	u64 nr_recent_waits = 0;
	u64 nr_recent_missed = 0;
	u64 recent_p99_ns = 0;
};

struct LiveScheduler {
	bool has_sched_ext = true;
	std::string ops = {};  // "": the kernel's own
	bool serves_all = true;
	std::optional<u64> age_ns = {};
	std::optional<u64> nr_ejections = {};  // that the kernel's log still tells of
	std::string last_end = {};             // "scx_latency: runnable task stall"; "": none is known
	std::optional<u64> nr_starved = {};
	std::vector<LiveClass> classes = {};
	std::string trouble = {};  // why nobody can say what it counts
};

// As its state file tells.
struct LiveGuard {
	bool is_running = false;
	std::string phase;
	std::string held_by;
	std::string reason = {};
	u64 nr_faults = 0;
	u64 nr_loads = 0;
	u64 nr_warnings = 0;
	std::vector<std::pair<std::string, u64>> exits = {};  // by what they mean
};

// The kernel's BPF statistics of a program.
struct LiveProgram {
	std::string name;
	u64 run_ns = 0;
};

// The waits of one interval. `octaves`: how many lasted less than 1024 ns times 2^index, and as long as the one before;
// the last has all longer ones, too.
struct LivePoint {
	static constexpr size_t kOctaves = 22;
	u64 at_ns = 0;  // CLOCK_REALTIME
	std::string ops = {};
	u64 nr = 0;
	u64 p50_ns = 0;
	u64 p90_ns = 0;
	u64 p99_ns = 0;
	u64 p999_ns = 0;
	u64 max_ns = 0;
	u64 lost = 0;
	std::array<u64, kOctaves> octaves = {};
};
LivePoint live_point(const WaitSnapshot& interval, u64 at_ns, const std::string& ops);

struct LiveFacts {
	std::string version = {};  // of punctual
	std::string host = {};
	u64 at_ns = 0;  // CLOCK_REALTIME
	u64 interval_ns = 0;
	LiveScheduler scheduler = {};
	std::optional<LiveGuard> guard = {};
	std::string guard_trouble = {};          // why its state cannot be read; "" and no guard: there is none
	std::optional<WaitSnapshot> waits = {};  // since the start; the cgroups are those that have a series
	std::vector<CgroupWaits> recent = {};    // waits of the last minute by cgroup
	u64 recent_ns = 0;
	std::string waits_trouble = {};          // why there are none
	std::vector<LiveProgram> programs = {};  // with BPF statistics on
	std::optional<u64> probes_ns = {};       // the same of our own probes
};

// The exposition format; without the guard's, which writes its own.
std::string live_metrics(const LiveFacts& facts);

// The document "punctual.live", version 1; `latest`: the newest point of the history.
std::string live_json(const LiveFacts& facts, const std::optional<LivePoint>& latest);
// The document "punctual.history", version 1, oldest point first.
std::string history_json(const std::deque<LivePoint>& points, u64 interval_ns);

}  // namespace punctual
