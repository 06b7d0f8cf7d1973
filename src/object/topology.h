// SPDX-License-Identifier: GPL-2.0-only
// Which CPUs share a last-level cache, and which caches a node: read from sysfs, and laid out as a scheduler
// walks it, from near to far. The layout is a pure function, so machines can be made by hand.
#pragma once

#include <string>
#include <vector>

#include "abi/sched.h"
#include "base/cpu_list.h"
#include "base/result.h"

namespace punctual {

struct CpuPlace {
	int cpu;
	int node;
	std::string shared;  // the CPUs of its last-level cache, as the kernel lists them
};

// By CPU, and by cache; caches are numbered node by node, without gaps.
struct Topology {
	std::vector<u16> llc_of_cpu;
	std::vector<u16> next_in_llc;  // in a ring
	std::vector<llc_place> llc_places;
};

// `scope`: the CPUs on which budgets count; empty: all.
Topology layout(std::vector<CpuPlace> cpus, const CpuList& scope);

// All possible CPUs of this machine.
Result<std::vector<CpuPlace>> read_cpu_places();

}  // namespace punctual
