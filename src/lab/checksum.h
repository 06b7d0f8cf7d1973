// SPDX-License-Identifier: GPL-2.0-only
// What tells a file of the lab's cache from a damaged one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace punctual {

// In hexadecimal, by sha256sum, in the order of `files`.
Result<std::vector<std::string>> sha256_of(const std::vector<std::filesystem::path>& files);
Result<std::string> sha256(const std::filesystem::path& file);

}  // namespace punctual
