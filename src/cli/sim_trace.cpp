// SPDX-License-Identifier: GPL-2.0-only
#include "cli/sim_trace.h"

#include <algorithm>

namespace punctual {
namespace {

constexpr size_t kEventsMax = 1'000'000;

}  // namespace

bool add_to_perfetto(PerfettoRuns& trace, const std::string& policy, const sim::Scenario& scenario,
		     const sim::Outcome& outcome, const std::function<std::string(u32)>& name_of)
{
	const size_t nr_runs = std::min(outcome.runs.size(), kEventsMax);
	const size_t nr_events = std::min(outcome.trace.size(), kEventsMax);

	trace.begin_group(policy, scenario.machine.nr_cpus);
	for (size_t i = 0; i < nr_runs; i++) {
		const sim::Run& run = outcome.runs[i];
		trace.add_run(run.cpu, run.start_ns, run.end_ns, name_of(run.task));
	}
	for (size_t i = 0; i < nr_events; i++) {
		const sim::TraceEvent& event = outcome.trace[i];
		if (event.kind == sim::TraceKind::preempted)
			trace.add_instant(event.cpu, event.at_ns, "preempted");
		else if (event.kind == sim::TraceKind::dropped)
			trace.add_instant(event.cpu, event.at_ns, "packet dropped");
		else if (event.kind == sim::TraceKind::ejected)
			trace.add_instant(event.cpu, event.at_ns, "scheduler ejected");
	}
	return nr_runs == outcome.runs.size() && nr_events == outcome.trace.size();
}

}  // namespace punctual
