// SPDX-License-Identifier: GPL-2.0-only
// Workloads in the JSON of rt-app, as its tutorial.txt (Debian package rt-app, 1.0) describes them, with the repeated
// keys and comments that workgen takes; also tasks of its older grammar (exec, period, lock_order, resources).
//
// Modelled: run, runtime, sleep, timer (relative, absolute, "unique"), lock, unlock, wait, signal, broad, sync,
// barrier, suspend, resume, yield, fork; phases, loop, instance, delay, cpus of tasks and phases, priority and policy,
// taskgroup. All else that a file says is named in ScriptLoad::not_modelled.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sim/script_load.h"

namespace punctual::sim {

struct RtappFile {
	std::string name;  // for errors
	std::string text;
};

// Several files are one workload in parts: tasks of all, and of "global" the first that says something. For a machine
// of nr_cpus CPUs. Errors (usage) name file and task, and what would be right.
Result<ScriptLoad> parse_rtapp(std::span<const RtappFile> files, u32 nr_cpus);

}  // namespace punctual::sim
