// SPDX-License-Identifier: GPL-2.0-only
// An exclusive lock on a file, between processes and between threads, for things that several labs make at a time.
#pragma once

#include <filesystem>

#include "base/fd.h"
#include "base/result.h"

namespace punctual {

// Creates `path` and waits until it is ours; closing the descriptor gives it up. Error (interrupted) when
// `stop_fd` becomes readable meanwhile; -1: nothing can stop us.
Result<UniqueFd> lock_file(const std::filesystem::path& path, int stop_fd);

}  // namespace punctual
