// SPDX-License-Identifier: GPL-2.0-only
// What `punctual profile` was told.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "abi/types.h"
#include "base/cpu_list.h"
#include "base/result.h"
#include "base/units.h"

namespace punctual {

// As the operator wrote it. Empty: not given.
struct ProfileOptions {
	std::string duration = "10s";
	std::string cpus;
	std::string frequency = "997";
	std::vector<std::string> programs;
	std::string out;
	std::string folded;
	std::string speedscope;
	bool json = false;
};

struct ProfilePlan {
	Nanoseconds duration{};
	CpuList cpus;  // online
	u64 frequency_hz = 0;
	std::vector<u32> programs;  // none: the callbacks of the loaded scheduler
	bool out_is_svg = false;    // else a page
};

void declare_profile_options(CLI::App& app, ProfileOptions* options);

// Errors (usage) name what is wrong.
Result<ProfilePlan> profile_plan(const ProfileOptions& options);

}  // namespace punctual
