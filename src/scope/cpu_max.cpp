// SPDX-License-Identifier: GPL-2.0-only
#include "scope/cpu_max.h"

#include "base/file.h"
#include "scope/cgroup_walk.h"

namespace punctual {

CpuMaxLimits find_cpu_max(const std::filesystem::path& mount)
{
	CpuMaxLimits limits;
	CgroupWalk walk(mount);
	while (auto cgroup = walk.next()) {
		const auto value = read_line(cgroup->directory + "/cpu.max");  // absent without the cpu controller
		if (!value || value->starts_with("max"))
			continue;
		if (limits.first.empty())
			limits.first = std::filesystem::path(cgroup->directory).lexically_relative(mount);
		else
			limits.others++;
	}
	return limits;
}

}  // namespace punctual
