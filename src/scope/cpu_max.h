// SPDX-License-Identifier: GPL-2.0-only
// Which cgroups have a limit that no sched_ext scheduler of ours keeps.
#pragma once

#include <filesystem>
#include <string>

namespace punctual {

struct CpuMaxLimits {
	std::string first;  // below the mount, e.g. "batch.slice"; empty: no cgroup has a limit
	size_t others = 0;
};

// Cgroups whose cpu.max is not "max". Reads one file a cgroup, at most kCgroupsMax.
CpuMaxLimits find_cpu_max(const std::filesystem::path& mount);

}  // namespace punctual
