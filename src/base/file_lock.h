// SPDX-License-Identifier: GPL-2.0-only
// An exclusive lock on a file, between processes and between threads: for what several labs make at a time, and for
// tables that several commands change.
#pragma once

#include <chrono>
#include <filesystem>

#include "base/fd.h"
#include "base/result.h"

namespace punctual {

// Creates `path` and waits until it is ours; closing the descriptor gives it up. Error (interrupted) when
// `stop_fd` becomes readable meanwhile; -1: nothing can stop us. Error (failed) when it takes longer than `wait_max`.
Result<UniqueFd> lock_file(const std::filesystem::path& path, int stop_fd,
			   std::chrono::milliseconds wait_max = std::chrono::hours(24));

}  // namespace punctual
