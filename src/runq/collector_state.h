// SPDX-License-Identifier: GPL-2.0-only
// What a Collector is made of. Part of runq/, shown to no other folder.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <vector>

#include "object/program_cost.h"
#include "runq/cgroup_names.h"
#include "runq/cgroup_rows.h"
#include "runq/collector.h"
#include "runq/counters.h"
#include "runq/probes.h"

struct ring_buffer;

namespace punctual {

struct RingFree {
	void operator()(ring_buffer* ring) const;
};

struct Collector::State {
	State(const CollectorOptions& given, CgroupNames learnt, Probes loaded);

	Status read_cpus(WaitSnapshot* snapshot);
	Status read_tasks(WaitSnapshot* snapshot) const;
	void follow_threshold(const WaitCounts& all);
	Result<std::vector<WaitOutlier>> drain_outliers();

	CollectorOptions options;
	CgroupNames names;
	Probes probes;
	CgroupRows rows;
	CpuList cpus;                      // those that are told of
	std::vector<runq_cpu> cpu_values;  // the last reading, of each possible CPU
	std::map<int, std::array<Counter, kWaitKinds>> cpu_counters;
	Counter waking;
	WaitCounts followed;  // all, when the threshold was moved last
	std::unique_ptr<ring_buffer, RingFree> ring;
	std::vector<runq_outlier> drained;  // by the callback of the ring
	std::optional<ProgramCostMeter> cost;
};

}  // namespace punctual
