// SPDX-License-Identifier: GPL-2.0-only
// All cgroups below a mount, one at a time, so that a walk can be spread over many ticks of a loop.
// Cgroups that come and go meanwhile may be seen or not. Bounded: see kCgroupsMax.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace punctual {

constexpr size_t kCgroupsMax = 20'000;  // that one walk returns

struct FoundCgroup {
	std::string directory;
	uint64_t id = 0;  // as cgroup_id; 0: gone since
};

class CgroupWalk {
 public:
	explicit CgroupWalk(const std::filesystem::path& mount) : pending_{mount.native()} {}

	// The next one, a parent before its children; nullopt at the end.
	std::optional<FoundCgroup> next();

 private:
	std::vector<std::string> pending_;
	size_t returned_ = 0;
};

}  // namespace punctual
