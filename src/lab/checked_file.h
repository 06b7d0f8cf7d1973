// SPDX-License-Identifier: GPL-2.0-only
// Large files of the lab's cache, each with its checksum in a file beside it: a damaged one is made again instead of
// showing as a guest that does not boot. Who writes one holds the cache's lock.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace punctual {

// Present and unchanged since it was kept.
bool is_intact(const std::filesystem::path& file);

// As it was when the file was kept; empty: there is none.
std::string checksum_of(const std::filesystem::path& file);

// Moves `fresh`, of the same file system, to `file`, with its checksum.
Status keep_checked(const std::filesystem::path& fresh, const std::filesystem::path& file);

}  // namespace punctual
