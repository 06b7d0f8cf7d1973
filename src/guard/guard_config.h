// SPDX-License-Identifier: GPL-2.0-only
// What a guard was told to do, as plain values, and what follows when it is told anew while it runs. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace punctual {

struct WantedBudget {
	std::string cgroup = {};  // as written: a unit or a path
	std::chrono::nanoseconds latency{};
	uint32_t cap_percent = 0;  // 0: none

	bool operator==(const WantedBudget&) const = default;
};

struct GuardConfig {
	std::string scheduler = {};
	std::string cpus = {};  // empty: all
	bool only = false;
	std::vector<std::string> slices = {};  // of `only`
	std::vector<std::string> set = {};     // NAME=VALUE, the floor among them
	std::string timeout = {};
	std::vector<WantedBudget> budgets = {};
	std::vector<std::string> slo = {};
	std::string on_fallback = {};
	std::string webhook = {};
	std::string metrics = {};

	bool operator==(const GuardConfig&) const = default;
};

// In place, in this order, unless `loads_anew` says that the scheduler has to be loaded again for it. Budgets that did
// not change are not in it: what a person set meanwhile by hand stands.
struct ConfigChange {
	std::vector<WantedBudget> give = {};
	std::vector<std::string> take = {};  // cgroups
	bool loads_anew = false;
	std::string words = {};  // "budget of vnf.slice 50us; cpus 0-3: loading again"; "nothing changed"
};
ConfigChange config_change(const GuardConfig& before, const GuardConfig& after);

// What it would do, a line each.
std::vector<std::string> config_lines(const GuardConfig& config);

}  // namespace punctual
