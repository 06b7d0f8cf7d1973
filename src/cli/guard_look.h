// SPDX-License-Identifier: GPL-2.0-only
// A guard as its folder tells of it, for who only looks: nothing is created, and no process is asked.
#pragma once

#include <filesystem>
#include <optional>

#include "base/result.h"
#include "guard/guard_state.h"

namespace punctual {

// In the guard's folder.
inline constexpr const char* kGuardStateFile = "guard.json";
inline constexpr const char* kGuardLockFile = "guard.lock";

struct GuardLook {
	GuardState state;
	bool is_running = false;
};

// nullopt: no guard was ever here. Error: the state cannot be read, or is damaged.
Result<std::optional<GuardLook>> look_at_guard(const std::filesystem::path& directory);

}  // namespace punctual
