// SPDX-License-Identifier: GPL-2.0-only
// What is to be simulated, as typed: part of the sim command. One value each, or lists where a sweep takes some.
#pragma once

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "cli/sim_jobs.h"

namespace punctual {

// As typed; read in the action, so that errors name the value and the remedy.
struct SimArguments {
	std::string cpus;
	std::string topology;
	std::string topology_from;
	std::string policies = "eevdf,fifo,scx_latency=60us";
	std::string load = "packets";
	std::string rate = "60k";
	std::string arrivals = "constant";
	std::string background = "spin";
	std::string work = "2500ns";
	std::string warmup = "300ms";
	std::string duration = "1s";
	std::string costs;
	std::string margin = "5%";
	std::string html;
	std::string perfetto;
	std::string trace;
	std::string urgent;
	std::string frontier;
	int64_t background_processes = 0;
	int64_t ring = 256;
	int64_t rx_usecs = 0;
	int64_t hz = 250;
	int64_t seed = 1;
	int64_t starts = 1;
	int64_t threads = 0;
	bool imix = false;
	bool json = false;
	bool duration_given = false;  // set by who parsed
};

// Those of one run, and of a sweep.
void add_sim_options(CLI::App& app, SimArguments& arguments, bool is_sweep);

// A point for each number of CPUs and each rate: lists where the options are lists. Error (usage).
Result<SimStudy> read_study(const SimArguments& arguments);

// Parts of it, for loads that have no packets: all but the points; one machine; the ticks; the length.
Result<SimStudy> read_policies(const SimArguments& arguments);
Result<std::vector<sim::CpuPlace>> read_machine(const SimArguments& arguments);
Result<u32> read_hz(const SimArguments& arguments);
Result<u64> read_duration(const SimArguments& arguments);

// "a,b": "a" and "b"
std::vector<std::string> split_list(const std::string& text);

}  // namespace punctual
