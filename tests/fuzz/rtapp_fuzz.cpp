// SPDX-License-Identifier: GPL-2.0-only
// Any text must give a workload or an error that names the file, and what it gives must run: all steps are about
// objects, tasks and masks that are there.
#include <cstdlib>
#include <string>

#include "sim/rtapp.h"

using namespace punctual;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const sim::RtappFile file{"fuzz.json", {reinterpret_cast<const char*>(data), size}};
	const auto load = sim::parse_rtapp({&file, 1}, 2);
	if (!load) {
		if (!load.error().what.starts_with("fuzz.json:") || load.error().code != ExitCode::usage)
			abort();
		return 0;
	}
	for (const sim::TaskSpec& task : load->tasks) {
		if (task.row >= load->rows.size() ||
		    (task.group != sim::kRootGroup && task.group >= load->groups.size()))
			abort();
		for (size_t i = 0; i < task.script.size(); i++) {
			const sim::ScriptStep& step = task.script[i];
			if ((step.op == sim::ScriptOp::again && (step.object > i || step.slot >= sim::kScriptSlots)) ||
			    (step.op == sim::ScriptOp::set_cpus && step.object >= task.masks.size()) ||
			    (step.op == sim::ScriptOp::fork && step.object >= load->tasks.size()))
				abort();
		}
	}
	return 0;
}
