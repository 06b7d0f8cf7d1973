// SPDX-License-Identifier: GPL-2.0-only
// What a run of the benchmark found, as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/packet_account.h"
#include "bench/side_counts.h"
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
	uint64_t vnf_work_ns = 0;         // what the packets served take when nothing interrupts
	uint64_t background_work_ns = 0;  // the same of the background work; 0: not known
	uint64_t waits = 0;               // of the packet function, from runnable to running; 0: nobody counted
	uint64_t waits_missed = 0;        // of those: longer than the budget
	uint64_t wait_p999_ns = 0;        // upper end of a bucket 12.5 % wide
	uint64_t judged_windows = 0;      // in which the scheduler judged whether the budget can be kept
	uint64_t infeasible_windows = 0;  // of those: it cannot
	uint64_t vnf_cpu_ns = 0;
	uint64_t background_cpu_ns = 0;
	uint64_t vnf_voluntary_switches = 0;
	uint64_t vnf_involuntary_switches = 0;
	uint64_t background_voluntary_switches = 0;
	uint64_t background_involuntary_switches = 0;
	std::optional<PacketAccount> packets;  // where they went; none: the emulated ring
	uint64_t steal_ns = 0;  // taken by a hypervisor from the CPUs of the trial; above 0, no absolute claim
	std::optional<SideCounts> counts = {};  // where --counters asked for them

	uint64_t context_switches() const
	{
		return vnf_voluntary_switches + vnf_involuntary_switches + background_voluntary_switches +
		       background_involuntary_switches;
	}
	// What a cycle costs: the packet function wakes, serves what is there, and sleeps. CPU time of the window that
	// is neither background work nor work on packets, for each sleep: the switches there and back, the timers, the
	// scheduler's decisions, and a share of what the kernel does anyway (its ticks). One CPU that is never idle is
	// taken for granted; exact in virtual time, where every instruction takes as long. 0: not known.
	uint64_t cycle_ns() const
	{
		const uint64_t work_ns = vnf_work_ns + background_work_ns;
		return background_work_ns == 0 || sleeps == 0 || work_ns > window_ns ? 0
										     : (window_ns - work_ns) / sleeps;
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
