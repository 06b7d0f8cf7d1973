// SPDX-License-Identifier: GPL-2.0-only
// Any text must give a trace or an error that names the file. The demand of a trace is that of its scripts, and no CPU
// runs more than the time that passed.
#include <cstdlib>

#include "sim/perf_trace.h"

using namespace punctual;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const auto trace = sim::parse_perf_trace({reinterpret_cast<const char*>(data), size}, "fuzz");
	if (!trace) {
		if (!trace.error().what.starts_with("fuzz:") || trace.error().code != ExitCode::usage)
			abort();
		return 0;
	}
	unsigned long long sum_ns = 0;
	for (const sim::TaskSpec& task : trace->load.tasks)
		for (const sim::ScriptStep& step : task.script) {
			sum_ns += step.op == sim::ScriptOp::run ? step.value : 0;
			if (step.op == sim::ScriptOp::post && step.object >= trace->load.tasks.size())
				abort();
		}
	if (sum_ns != trace->load.demand_ns)
		abort();
	return 0;
}
