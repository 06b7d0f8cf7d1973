// SPDX-License-Identifier: GPL-2.0-only
// Where the CPUs of a simulated machine lie: as text, or as a machine's sysfs says it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "abi/sched.h"
#include "base/result.h"

namespace punctual::sim {

// Numbers from 0 without gaps. CPUs are numbered node by node, cache by cache, core by core.
struct CpuPlace {
	u16 node = 0;
	u16 llc = 0;
	u16 core = 0;

	bool operator==(const CpuPlace&) const = default;
};

// "2x8x8x2": nodes, last-level caches a node, cores a cache, threads a core. A single number is so many CPUs of one
// cache. Error (usage) says what is wrong, also with more than CPUS_MAX CPUs.
Result<std::vector<CpuPlace>> parse_topology(std::string_view text);

// From a tree as /sys/devices/system is one, the machine's own or a copy: its online CPUs, renumbered as above. What
// the tree does not say is one node, one cache, cores of one thread. Error (usage) names the file that is missing or
// wrong.
Result<std::vector<CpuPlace>> read_topology(const std::filesystem::path& system);

// "2 nodes, 16 caches, 128 cores, 256 CPUs"
std::string topology_text(const std::vector<CpuPlace>& places);

}  // namespace punctual::sim
