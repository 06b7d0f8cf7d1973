// SPDX-License-Identifier: GPL-2.0-only
// What doctor sees of a machine, as values. Collecting only looks: nothing is loaded, mounted or changed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu_list.h"
#include "base/interrupts.h"

namespace punctual {

enum class KernelTypeInfo { absent, without_sched_ext, broken_kfuncs, healthy };

// An interrupt of a device, and the CPUs that the kernel may serve it on now.
struct RoutedInterrupt {
	Interrupt interrupt;
	CpuList cpus;
};

// What makes latencies longer, or figures doubtful. Empty or nullopt: could not be found out.
struct MachineSettings {
	std::optional<bool> ext_server;  // the kernel keeps a part of each CPU for sched_ext (7.0 and newer)
	std::vector<std::string> real_time_processes;  // "chronyd (612)": SCHED_FIFO and SCHED_RR, no kernel threads
	std::optional<int> hz;                         // ticks a second
	std::string preemption;                        // "none", "voluntary", "lazy", "full", "rt"
	std::string clocksource;
	std::string governor;                 // of the first CPU that has one
	std::optional<double> steal_percent;  // of all CPU time since boot
	bool has_pmu = false;
	std::optional<uint64_t> nofile_max;  // this process's soft limits
	std::optional<uint64_t> memlock_max_bytes;
	std::vector<std::string> rivals;  // "scx.service is enabled"
	std::vector<RoutedInterrupt> interrupts;
	CpuList online;
	CpuList asked;  // the CPUs that doctor was asked about; empty: none in particular
};

// kvm_usable is a hope: on some machines the device opens and no guest boots, so the lab probes before it relies on it.
struct MachineFacts {
	std::string kernel_release;                // uname -r
	bool sched_ext_present = false;            // /sys/kernel/sched_ext
	std::optional<bool> sched_ext_configured;  // CONFIG_SCHED_CLASS_EXT of the running kernel
	std::optional<bool> group_sched;           // CONFIG_EXT_GROUP_SCHED
	std::string kernel_command_line;
	KernelTypeInfo type_info = KernelTypeInfo::absent;
	std::string lockdown;        // "none", "integrity", "confidentiality"; empty: the kernel has none
	std::optional<int> bpf_jit;  // net.core.bpf_jit_enable
	std::string libbpf_version;
	std::string clang;                     // newest clang in PATH, "clang-19"
	std::optional<uint64_t> capabilities;  // effective, a bit each
	std::string cgroup2_mount;
	bool cgroup_cpu_controller = false;  // offered by version 2
	std::string loaded_scheduler;        // name of a sched_ext scheduler in charge
	std::string qemu_version;
	bool kvm_usable = false;
	MachineSettings settings;
};

MachineFacts look_at_this_machine(const CpuList& asked);

// Whether a kernel configuration, which begins with a newline, has OPTION=y.
bool is_set(const std::string& config, std::string_view option);

// The settings alone, below another root than "/": for tests. kernel_config: its text, or empty.
MachineSettings look_at_settings(const std::filesystem::path& root, const std::string& kernel_config);

}  // namespace punctual
