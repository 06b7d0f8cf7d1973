// SPDX-License-Identifier: GPL-2.0-only
// What a Collector is made of. Part of runq/, shown to no other folder.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "runq/cgroup_names.h"
#include "runq/collector.h"
#include "runq/counters.h"
#include "runq/probe_cost.h"
#include "runq/probes.h"

struct ring_buffer;

namespace punctual {

struct RingFree {
	void operator()(ring_buffer* ring) const;
};

struct Collector::State {
	State(const CollectorOptions& given, CgroupNames learnt, Probes loaded);

	std::optional<u64> id_of_row(u32 row) const;  // 0: "(other)"; nullopt: nobody's
	Status read_cpus(WaitSnapshot* snapshot);
	Status read_cgroups(WaitSnapshot* snapshot);
	Status read_tasks(WaitSnapshot* snapshot) const;
	void read_culprits(WaitSnapshot* snapshot) const;
	void follow_threshold(const WaitCounts& all);
	Result<std::vector<WaitOutlier>> drain_outliers();

	CollectorOptions options;
	CgroupNames names;
	Probes probes;
	CpuList cpus;                      // those that are told of
	std::vector<runq_cpu> cpu_values;  // the last reading, of each possible CPU
	std::vector<runq_histogram> row_values;
	std::map<int, std::array<Counter, kWaitKinds>> cpu_counters;
	Counter waking;
	std::vector<Counter> row_counters;
	std::vector<Throttling> throttling;  // by row, as last known
	WaitCounts followed;                 // all, when the threshold was moved last
	std::unique_ptr<ring_buffer, RingFree> ring;
	std::vector<runq_outlier> drained;  // by the callback of the ring
	std::optional<CostMeter> cost;
};

}  // namespace punctual
