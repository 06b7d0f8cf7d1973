// SPDX-License-Identifier: GPL-2.0-only
// Stamps of tasks are memory of the cgroup that loaded the probes. Before Linux 6.4 the kernel takes it while it holds
// a run-queue lock, and tells whoever watches the cgroup when its limit is reached: that wakes a task, and the machine
// hangs.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace punctual {

// The nearest cgroup with a memory.max, from `own` (as /proc/self/cgroup has it, "/a/b") up to the root.
std::optional<std::filesystem::path> memory_limit_above(const std::filesystem::path& mount, std::string_view own);

bool hangs_at_memory_limit(std::string_view kernel_release);

// Error (lacking) where this process may not load the probes for that reason.
Status check_memory_limit();

}  // namespace punctual
