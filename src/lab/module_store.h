// SPDX-License-Identifier: GPL-2.0-only
// The modules of the lab's kernels, on disk beside them: the package of a kernel is fetched when the first of its
// modules is asked for, by the same apt, and each file is checked whenever it is used.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/kernel_store.h"

namespace punctual {

struct KernelModule {
	std::string name;
	std::string contents;  // an ELF file, uncompressed
};

// The modules of these names and all that they depend on, in an order in which they can be loaded. Error (usage)
// for a name that this kernel has no module of, (lacking) when its modules cannot be fetched, (interrupted) when
// `stop_fd` becomes readable meanwhile.
Result<std::vector<KernelModule>> find_modules(const Kernel& kernel, const std::vector<std::string>& names,
					       const std::filesystem::path& cache, const StoreListener& listener,
					       int stop_fd = -1);

}  // namespace punctual
