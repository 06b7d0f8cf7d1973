// SPDX-License-Identifier: GPL-2.0-only
// Whole small files at once: sysfs, procfs, cgroupfs, configuration.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace punctual {

// Contents of a file. Errors name the path; `size_max` bounds what is read.
Result<std::string> read_file(const std::filesystem::path& path, size_t size_max = 256UL << 20);

// The same without trailing white space: what sysfs and procfs values need.
Result<std::string> read_line(const std::filesystem::path& path);

// Writes into an existing kernel file (sysfs, cgroupfs) by one write call, which those need.
Status write_kernel_file(const std::filesystem::path& path, std::string_view text);

// Creates or replaces a regular file as a whole: readers see the old or the new contents, never a part.
Status replace_file(const std::filesystem::path& path, std::string_view contents);

// Returns when the file and its name are on the disk: what has to outlive a machine that goes down. May take seconds.
Status sync_file(const std::filesystem::path& path);

// A directory under $TMPDIR (or /tmp) that is removed with everything in it by the destructor.
class TempDir {
 public:
	static Result<TempDir> create(std::string_view prefix);
	TempDir(TempDir&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
	TempDir& operator=(TempDir&&) = delete;
	TempDir(const TempDir&) = delete;
	TempDir& operator=(const TempDir&) = delete;
	~TempDir();

	const std::filesystem::path& path() const { return path_; }

 private:
	explicit TempDir(std::filesystem::path path) : path_(std::move(path)) {}
	std::filesystem::path path_;
};

}  // namespace punctual
