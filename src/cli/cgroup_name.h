// SPDX-License-Identifier: GPL-2.0-only
// Cgroups as commands print them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace punctual {

// As below the mount, e.g. "vnf.slice", "/" for the root; "id N" when it cannot be looked up; nullopt when it was
// removed.
std::optional<std::string> cgroup_name(uint64_t id);

// The same for people: harmless characters alone, and "id N (removed)".
std::string cgroup_text(uint64_t id);

}  // namespace punctual
