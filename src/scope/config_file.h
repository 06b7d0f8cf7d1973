// SPDX-License-Identifier: GPL-2.0-only
// The configuration file of `punctual run`, in TOML:
//
//     cpus = "0-3"
//     floor = "10%"
//     timeout = "5s"
//     [set]
//     slice_ns = "2ms"
//     [budgets]
//     "vnf.slice" = "60us"
//     "voice.slice" = {latency = "5ms", cap = "30%"}
//
// Only the form is checked here: values are text, and whoever uses them says what is wrong with one.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace punctual {

struct ConfigBudget {
	std::string cgroup;
	std::string latency;
	std::string cap;  // empty: none
};

// Empty: not in the file.
struct ConfigFile {
	std::string cpus;
	std::string floor;
	std::string timeout;
	std::vector<std::string> set;  // NAME=VALUE
	std::vector<ConfigBudget> budgets;
};

// Errors (usage) name the file, the line, and the key that is unknown or has the wrong kind of value.
Result<ConfigFile> parse_config(std::string_view text, std::string_view file_name);
Result<ConfigFile> read_config(const std::filesystem::path& path);

}  // namespace punctual
