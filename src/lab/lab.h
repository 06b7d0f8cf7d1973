// SPDX-License-Identifier: GPL-2.0-only
// Start here: runs a command inside a freshly booted Debian kernel with sched_ext, in QEMU. Hides where kernels
// come from, how the guest's root file system is made, how QEMU is driven and how output comes back.
// In virtual time the same command gives the same run, to the nanosecond, on any host.
// run_in_lab may be called from several threads at a time; each call has a guest of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lab/kernel_store.h"
#include "lab/kernel_table.h"

namespace punctual {

enum class LabTime {
	virtual_time,  // 1 instruction = 1 ns; several CPUs go side by side, to 1 us
	wall,          // the host's clock: KVM where it works, else emulation
};

struct LabOptions {
	std::string kernel{kDefaultKernel};  // a series of kernel_series(), or an exact version of one
	int cpus = 1;
	int caches = 1;  // last-level caches, each with the same number of CPUs
	uint64_t memory_bytes = 1UL << 30;
	LabTime time = LabTime::virtual_time;
	std::chrono::nanoseconds settle = std::chrono::seconds(4);   // guest time between boot and command
	std::chrono::nanoseconds timeout = std::chrono::minutes(5);  // host time for settling and the command
	std::string root;                      // a Debian root with systemd, see root_store.h; empty: our own small one
	std::vector<std::string> packages;     // of Debian, that a root which the lab makes gets too
	std::vector<std::string> files;        // HOST:GUEST to bring along, see image.h
	std::vector<std::string> include;      // host paths to bring along, see image.h for where they go
	std::vector<std::string> environment;  // NAME=VALUE for the command
	std::vector<std::string> modules;      // of the kernel, loaded before the command, with what they need
	std::filesystem::path out;             // host directory for what the command leaves in /out; empty: dropped
	std::filesystem::path console;         // file that keeps the guest's console; empty: none
	int stop_fd = -1;                      // readable: end everything now (StopSignal::fd)
};

// Called on the thread of run_in_lab. Empty `out` and `err`: the streams are captured in the result instead.
struct LabListener {
	std::function<void(std::string_view)> out;
	std::function<void(std::string_view)> err;
	StoreListener store;               // notes to a person, progress of a kernel's download
	std::function<void()> on_started;  // the command is about to start
};

struct LabResult {
	int status = 0;  // exit status of the command, 128 + n for signal n, as a shell has it
	std::string out;
	std::string err;
	std::string kernel;                     // its version, e.g. "6.18.15"
	std::chrono::nanoseconds start_time{};  // host time from QEMU's start to the command's start
};

// Errors: a guest that did not boot, panicked or hung (failed, with the end of its console), ran into the timeout
// (timeout), was stopped (interrupted); a missing QEMU or kernel (lacking); bad options (usage).
Result<LabResult> run_in_lab(const LabOptions& options, const std::vector<std::string>& argv,
			     const LabListener& listener = {});

}  // namespace punctual
