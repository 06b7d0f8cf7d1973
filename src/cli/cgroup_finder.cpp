// SPDX-License-Identifier: GPL-2.0-only
#include "cli/cgroup_finder.h"

#include "base/cgroup.h"

namespace punctual {

std::optional<std::filesystem::path> CgroupFinder::find(const std::string& name)
{
	constexpr int kPauses = 100;
	Place& place = places_[name];
	std::error_code gone;
	if (!place.path.empty() && std::filesystem::is_directory(place.path, gone))
		return place.path;
	const auto began = std::chrono::steady_clock::now();
	if (began < place.look_again_at)
		return std::nullopt;
	const auto found = find_cgroup(name);
	const auto now = std::chrono::steady_clock::now();
	place.path = found ? *found : std::filesystem::path();
	place.look_again_at = now + kPauses * (now - began);
	return found ? std::optional(*found) : std::nullopt;
}

}  // namespace punctual
