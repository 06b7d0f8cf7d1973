// SPDX-License-Identifier: GPL-2.0-only
// What `punctual serve` measures: once in an interval it looks at everything and makes the texts that are served until
// the next one. Whoever asks gets the texts as they lie there, so asking, however often, does not touch the measuring.
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "abi/sched.h"
#include "base/sched_ext_log.h"
#include "base/units.h"
#include "export/cgroup_series.h"
#include "export/live.h"
#include "object/loaded.h"
#include "runq/collector.h"

namespace punctual {

struct SamplerOptions {
	Nanoseconds interval{};
	size_t cgroups_max = 0;           // series; the rest is "(other)"
	std::filesystem::path state_dir;  // of the guard
	bool cost = false;                // turn the kernel's BPF statistics on
};

// Finished texts; never changed.
struct Served {
	std::string metrics;
	std::string live;
	std::string history;
};

class ServeSampler {
 public:
	// Without a collector run-queue waits are not told.
	ServeSampler(SamplerOptions options, std::optional<Collector> collector);

	// One thread. What goes wrong is part of what is served.
	void sample();

	// Any thread; never null.
	std::shared_ptr<const Served> served() const;

 private:
	struct Moment {
		u64 at_ns = 0;  // CLOCK_MONOTONIC
		std::vector<class_stats> classes = {};
		WaitSnapshot waits = {};
		u64 enable_seq = 0;
	};
	void look_at_scheduler(LiveFacts* facts, Moment* moment);
	void look_at_guard_into(LiveFacts* facts);
	void look_at_waits(LiveFacts* facts, Moment* moment);
	LiveClass class_of(const LoadedScheduler& loaded, const class_stats& row, const Moment& minute) const;
	void remember(Moment moment);

	SamplerOptions options_;
	std::optional<Collector> collector_;
	std::string host_;
	SchedExtLog log_;
	CgroupSeries series_;
	std::optional<WaitSnapshot> before_;
	std::deque<Moment> minute_;  // one in ten seconds, oldest first; the first is what "recent" begins with
	std::deque<LivePoint> points_;
	std::string guard_metrics_;
	mutable std::mutex mutex_;  // of the next one
	std::shared_ptr<const Served> served_;
};

}  // namespace punctual
