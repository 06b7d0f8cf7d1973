// SPDX-License-Identifier: GPL-2.0-only
// What a run of the benchmark found, as plain values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "measure/histogram.h"

namespace punctual {

// One arm. offered = dropped + latency.count(): a trial where that does not hold is refused.
struct ArmResult {
	std::string name;
	uint64_t budget_ns = 0;   // 0: none
	std::string scheduler;    // sched_ext ops that were on during the window; empty: the kernel's own
	uint64_t enable_seq = 0;  // of sched_ext, how many schedulers had been enabled since boot
	Histogram latency;        // from a packet's scheduled arrival to its completion; served packets only
	uint64_t offered = 0;
	uint64_t dropped = 0;
	uint64_t window_ns = 0;  // of the arrivals
	uint64_t sleeps = 0;     // of the packet function
	uint64_t background_work = 0;
	uint64_t background_batches = 0;
	uint64_t vnf_cpu_ns = 0;
	uint64_t background_cpu_ns = 0;
	uint64_t vnf_voluntary_switches = 0;
	uint64_t vnf_involuntary_switches = 0;
	uint64_t background_voluntary_switches = 0;
	uint64_t background_involuntary_switches = 0;
	uint64_t steal_ns = 0;  // taken by a hypervisor from the CPUs of the trial; above 0, no absolute claim

	uint64_t context_switches() const
	{
		return vnf_voluntary_switches + vnf_involuntary_switches + background_voluntary_switches +
		       background_involuntary_switches;
	}
	double drop_ratio() const
	{
		return offered == 0 ? 0 : static_cast<double>(dropped) / static_cast<double>(offered);
	}
	double achieved_per_s() const { return per_s(latency.count()); }
	double background_per_s() const { return per_s(background_work); }
	double per_s(uint64_t count) const
	{
		return window_ns == 0 ? 0 : static_cast<double>(count) * 1e9 / static_cast<double>(window_ns);
	}
};

// Facts about the machine and the run, in the order in which they are shown.
using Environment = std::vector<std::pair<std::string, std::string>>;

struct BenchResult {
	std::vector<ArmResult> arms;
	Environment environment;
};

// Background work a second relative to the first arm's; 0 when that did none.
double background_relative(const BenchResult& result, size_t arm);

}  // namespace punctual
