// SPDX-License-Identifier: GPL-2.0-only
// The load of `punctual sim`, that of the bench made for a simulated machine: packet functions in a class with a
// budget, and background processes beside them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sim/costs.h"
#include "sim/scenario.h"

namespace punctual::sim {

// One way to schedule, as an operator writes it.
struct PolicyChoice {
	std::string name;  // "scx_latency=60us"
	PolicyKind kind = PolicyKind::latency;
	u64 budget_ns = 0;  // of scx_latency
};

// "eevdf,fifo,queue,scx_latency=60us". Error (usage) names the one at fault and the choices.
Result<std::vector<PolicyChoice>> parse_policies(std::string_view text);

enum class SimBackground : u8 {
	spin,     // never sleeps
	python,   // the same, with a system call that cannot be preempted now and then
	gc,       // a runtime: work and short sleeps, and each 200 ms its collector, 10 ms
	scrapes,  // each 15 s 30 ms of work, at a time of its own
	none,
};

Result<SimBackground> parse_sim_background(std::string_view text);

// "constant", "poisson", "bursts", "bursts:N", "on-off", "mmpp", into nic. Error (usage) names the choices.
Status parse_sim_arrivals(std::string_view text, NicSpec* nic);

struct SimLoad {
	std::vector<CpuPlace> places;  // the machine
	u32 hz = 250;
	u32 nr_functions = 1;
	u64 rate_per_s = 60'000;  // of each
	u64 work_ns = 2500;       // a packet
	NicSpec nic;              // interval_ns is not looked at
	SimBackground background = SimBackground::spin;
	std::string background_name = "spin";
	u32 nr_background = 0;  // 0: two a CPU
	u64 warmup_ns = 300 * kMillisecond;
	u64 duration_ns = kSecond;
};

// The same load for every policy and, but for the seed, for every start: start 0 has the seed itself.
Scenario scenario_of(const SimLoad& load, const PolicyChoice& policy, const CostTable& costs, u64 seed, u64 start);

}  // namespace punctual::sim
