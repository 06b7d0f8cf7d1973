// SPDX-License-Identifier: GPL-2.0-only
// Which Debian kernels the lab offers. Each series has one pinned version, so that runs on different days and
// machines agree; when the archive has dropped it, the newest version of the series stands in.
// Pure: names in, choice out.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace punctual {

struct KernelSeries {
	std::string_view series;  // "6.18"
	std::string_view pinned;  // "6.18.15"
	std::string_view suite;   // of the Debian archive, that has it
};

inline constexpr std::string_view kDefaultKernel = "6.18";

std::span<const KernelSeries> kernel_series();

// Of numbers, dots and dashes, as "6.18.15" or "6.1.0-47".
bool is_kernel_version(std::string_view text);

// The version that "6.18" or "6.18.12" asks for, before anyone knows what is offered. Error (usage) for a series
// that is not in the table.
Result<std::string> wanted_kernel(std::string_view text);

// Where to look for a version that wanted_kernel() gave.
std::string_view suite_of_kernel(std::string_view version);

bool is_offered(std::string_view version, const std::vector<std::string>& offered);

struct KernelPackage {
	std::string version;  // "6.18.15"
	std::string package;  // the one that holds the kernel image
};

// The package for `version`, or for the newest version of its series, out of the archive's package names.
Result<KernelPackage> choose_kernel(std::string_view version, const std::vector<std::string>& offered);

// The package with the modules of exactly this version: where the image has a package of its own, they have one too.
Result<std::string> choose_modules(std::string_view version, const std::vector<std::string>& offered);

// "6.18.9" is older than "6.18.15".
bool older_version(std::string_view a, std::string_view b);

// "6.18.15" is of the series "6.18".
std::string_view series_of(std::string_view version);

}  // namespace punctual
