// SPDX-License-Identifier: GPL-2.0-only
// apt with a state of its own in a directory: lists, caches and configuration of the system stay untouched,
// and no root is needed. Not for several threads at a time; the kernel store holds a lock around it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace punctual {

class AptState {
 public:
	// Prepares `directory` for one suite. Takes the mirror that this machine's apt sources name.
	// A download ends with an error (interrupted) when `stop_fd` becomes readable.
	static Result<AptState> open(const std::filesystem::path& directory, std::string_view suite, int stop_fd);

	// Names of all kernel packages offered. Asks the mirror at most once a day, or once more (but not more than
	// hourly) when `wanted_version` is not among the known ones. Error (lacking) when it cannot be reached.
	Result<std::vector<std::string>> kernel_packages(std::string_view wanted_version);

	// Downloads one package into `into` and returns the file.
	Result<std::filesystem::path> download(const std::string& package, const std::filesystem::path& into,
					       const std::function<void(double fraction)>& progress);

 private:
	AptState(std::filesystem::path directory, int stop_fd) : directory_(std::move(directory)), stop_fd_(stop_fd) {}
	std::vector<std::string> command(std::string_view program) const;
	Status update();
	Result<std::vector<std::string>> known_packages() const;

	std::filesystem::path directory_;
	int stop_fd_;
};

// The main part of a suite, as a line of sources.list: from the mirror that this machine's apt sources name, checked by
// the keys of the Debian archive. Error (lacking) when the keys are missing.
Result<std::string> apt_source_line(std::string_view suite);

// What apt complained about in its output, in one line: the first of "E: ..." and "W: ...".
std::string apt_complaint(std::string_view text);

// The kernel image (bzImage) inside a Debian package, written below `into`.
Result<std::filesystem::path> extract_kernel_image(const std::filesystem::path& package,
						   const std::filesystem::path& into);

// All kernel modules inside a Debian package, written side by side into `into`.
Status extract_modules(const std::filesystem::path& package, const std::filesystem::path& into);

}  // namespace punctual
