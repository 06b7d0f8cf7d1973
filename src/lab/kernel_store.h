// SPDX-License-Identifier: GPL-2.0-only
// The kernels of the lab, on disk: fetched once from the Debian archive by apt with a state of its own (the
// system's apt state is never touched and nothing is installed), unpacked, and checked on every use.
// Any number of processes and threads may use one store at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace punctual {

struct StoreListener {
	std::function<void(std::string_view line)> note;                       // what a person should know
	std::function<void(std::string_view what, double fraction)> progress;  // of a download, 0 to 1
};

struct Kernel {
	std::string version;
	std::filesystem::path vmlinux;  // uncompressed ELF with a PVH entry
	std::string checksum;           // of its contents
};

// Where the lab keeps things: $PUNCTUAL_CACHE, or punctual/lab in the user's cache directory. Made if missing.
Result<std::filesystem::path> lab_cache();

// The kernel that "6.18" (a series) or "6.18.12" (a version) asks for, fetched if it is not there or damaged.
// Error (interrupted) when `stop_fd` becomes readable meanwhile.
Result<Kernel> find_kernel(std::string_view text, const std::filesystem::path& cache, const StoreListener& listener,
			   int stop_fd = -1);

}  // namespace punctual
