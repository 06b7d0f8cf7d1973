// SPDX-License-Identifier: GPL-2.0-only
// What doctor thinks of a machine: pure functions from facts to findings, so that machines which nobody
// has at hand (a broken kernel, isolated CPUs) are tested as values. doctor.cpp collects the facts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace punctual {

enum class KernelTypeInfo { absent, without_sched_ext, broken_kfuncs, healthy };

// What was seen on the machine; empty or nullopt: could not be found out. kvm_usable is a hope: on some
// machines the device opens and no guest boots, so the lab probes before it relies on it.
struct MachineFacts {
	std::string kernel_release;                // uname -r
	bool sched_ext_present = false;            // /sys/kernel/sched_ext
	std::optional<bool> sched_ext_configured;  // CONFIG_SCHED_CLASS_EXT of the running kernel
	std::string kernel_command_line;
	KernelTypeInfo type_info = KernelTypeInfo::absent;
	std::optional<int> bpf_jit;  // net.core.bpf_jit_enable
	std::string libbpf_version;
	std::string clang;                     // newest clang in PATH, "clang-19"
	std::optional<uint64_t> capabilities;  // effective, a bit each
	std::string cgroup2_mount;
	bool cgroup_cpu_controller = false;  // offered by version 2
	std::string loaded_scheduler;        // name of a sched_ext scheduler in charge
	std::string qemu_version;
	bool kvm_usable = false;
};

enum class Level { ok, warn, fail };

// What a failed check stands in the way of.
enum class Purpose { native, lab, building };

struct Check {
	std::string name;
	Purpose purpose = Purpose::native;
	Level level = Level::ok;
	std::string finding;
	std::string remedy;  // empty when ok
};

std::vector<Check> examine(const MachineFacts& facts);

// No check of that purpose failed.
bool is_ready(const std::vector<Check>& checks, Purpose purpose);

// The last line: can this machine, and if not, can the lab?
std::string verdict(const std::vector<Check>& checks);

}  // namespace punctual
