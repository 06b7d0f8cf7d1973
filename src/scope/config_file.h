// SPDX-License-Identifier: GPL-2.0-only
// The configuration of `punctual run` and `punctual guard`, in TOML:
//
//     scheduler = "scx_latency"
//     cpus = "0-3"
//     floor = "10%"
//     timeout = "5s"
//     only = false
//     slices = ["rt.slice"]       # of `only`, without a budget
//     [set]
//     slice_ns = "2ms"
//     [budgets]
//     "vnf.slice" = "60us"
//     "voice.slice" = {latency = "5ms", cap = "30%"}
//     [guard]
//     slo = ["p99(vnf.slice) > 100us for 10s then fallback"]
//     on_fallback = "systemctl restart flash.slice"
//     webhook = "http://127.0.0.1:9000/alerts"
//     metrics = "/var/lib/prometheus/node-exporter/punctual.prom"
//
// Only the form is checked here: values are text with their place, and whoever uses them says what is wrong with one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace punctual {

struct ConfigValue {
	std::string text = {};   // empty: not in the file
	std::string place = {};  // "FILE:LINE: KEY", for errors
};

struct ConfigBudget {
	std::string cgroup;
	std::string latency;
	std::string cap;  // empty: none
	std::string place = {};
};

struct ConfigFile {
	ConfigValue scheduler = {};
	ConfigValue cpus = {};
	ConfigValue floor = {};
	ConfigValue timeout = {};
	ConfigValue only = {};  // "true" or "false"
	std::vector<ConfigValue> slices = {};
	std::vector<ConfigValue> set = {};  // NAME=VALUE
	std::vector<ConfigBudget> budgets = {};
	std::vector<ConfigValue> slo = {};
	ConfigValue on_fallback = {};
	ConfigValue webhook = {};
	ConfigValue metrics = {};
};

// Errors (usage) name the file, the line, and the key that is unknown or has the wrong kind of value.
Result<ConfigFile> parse_config(std::string_view text, std::string_view file_name);

// What `later` says holds; a table is merged key by key, a list is taken as a whole.
void merge_config(ConfigFile* config, ConfigFile later);

// A file; or a directory: punctual.toml in it, then conf.d/*.toml by name, each of which has the last word.
Result<ConfigFile> read_config(const std::filesystem::path& path);

}  // namespace punctual
