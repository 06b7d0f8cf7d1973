// SPDX-License-Identifier: GPL-2.0-only
// The arms of a comparison: ways to schedule the same two sides. Pure text in, values out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu_list.h"
#include "base/result.h"
#include "base/units.h"

namespace punctual {

enum class ArmKind {
	eevdf,         // the kernel as it is
	eevdf_slice,   // the packet function asks for the shortest slice, 0.1 ms
	eevdf_weight,  // cpu.weight 200 on its cgroup
	eevdf_nice,    // nice -20
	eevdf_idle,    // cpu.idle on the background's cgroup
	fifo,          // SCHED_FIFO, priority 1
	deadline,      // SCHED_DEADLINE, 0.6 ms in each 1 ms
	cpuset,        // a CPU of its own for the packet function, the others for the background
	scheduler,     // a sched_ext scheduler is loaded
};

struct Arm {
	std::string name;  // as the operator wrote it, and as the table shows it
	ArmKind kind = ArmKind::eevdf;
	std::string scheduler;              // built-in name or path of an object; empty for the kernel's own
	std::optional<Nanoseconds> budget;  // of the packet function's cgroup
	CpuList cpus = {};                  // where the scheduler's policy applies; empty: everywhere

	bool needs_cpu_controller() const { return kind == ArmKind::eevdf_weight || kind == ArmKind::eevdf_idle; }
	bool needs_cpuset_controller() const { return kind == ArmKind::cpuset; }
	bool is_object_file() const { return scheduler.ends_with(".bpf.o"); }
};

// "eevdf,fifo,scx_latency=60us". An arm may be named twice: that is an A/A comparison.
// Error (usage) names the arm at fault and the choices.
Result<std::vector<Arm>> parse_arms(std::string_view text);

// One CPU cannot be shared out.
Status refuse_too_few_cpus(const Arm& arm, const CpuList& cpus);

// Every arm that needs no file and no second CPU, in the order of the report.
inline constexpr std::string_view kAllArms =
    "eevdf,eevdf-slice,eevdf-weight,eevdf-nice,eevdf-idle,fifo,deadline,scx_simple,scx_latency=60us";

}  // namespace punctual
