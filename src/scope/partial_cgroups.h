// SPDX-License-Identifier: GPL-2.0-only
// What partial mode reads from the cgroup tree. Cgroups come and go while it looks: one that is gone is empty.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "scope/partial_plan.h"

namespace punctual {

CgroupFacts cgroup_facts(const std::filesystem::path& directory);
Result<PartitionFacts> partition_facts(const std::vector<std::filesystem::path>& slices);

struct ThreadsBelow {
	std::vector<SeenThread> in_slices;
	std::vector<pid_t> strangers;  // below the directory, but in none of the slices
};

// Every thread of `directory` and the cgroups below it. Error when there are more than can be followed.
Result<ThreadsBelow> threads_below(const std::filesystem::path& directory,
				   const std::vector<std::filesystem::path>& slices);

}  // namespace punctual
