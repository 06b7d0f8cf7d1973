// SPDX-License-Identifier: GPL-2.0-only
// Where cgroups are that may come, go and come back under the same name: slices before their first service, services
// over a restart. Hides how often it looks: a missing unit is searched in all the tree, so each search is followed by a
// hundred times as long without one.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace punctual {

class CgroupFinder {
 public:
	// nullopt: it is not there, or was not when we last looked. Cheap enough for once a second.
	std::optional<std::filesystem::path> find(const std::string& name);

 private:
	struct Place {
		std::filesystem::path path = {};  // empty: not found
		std::chrono::steady_clock::time_point look_again_at = {};
	};
	std::map<std::string, Place> places_;  // one for each name in the configuration
};

}  // namespace punctual
