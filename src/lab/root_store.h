// SPDX-License-Identifier: GPL-2.0-only
// The Debian roots of the lab, on disk: made once from the Debian archive by mmdebstrap, checked on every use. Nothing
// is installed on the host. Any number of processes and threads may use one store at a time.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "lab/kernel_store.h"

namespace punctual {

struct Root {
	std::filesystem::path archive;  // a tar of everything below /
	std::optional<TempDir> made;    // holds it, where it is for this run only
};

// The root that `text` asks for: "bookworm" or "trixie", with `packages`; a directory; or a tar archive. Error (usage)
// for what is none of these; (lacking) where the Debian archive or mmdebstrap is missing; (interrupted) by `stop_fd`.
Result<Root> find_root(const std::string& text, const std::vector<std::string>& packages,
		       const std::filesystem::path& cache, const StoreListener& listener, int stop_fd = -1);

}  // namespace punctual
