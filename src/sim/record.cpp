// SPDX-License-Identifier: GPL-2.0-only
#include "sim/record.h"

#include <algorithm>

namespace punctual::sim {
namespace {

u64 overlap_ns(const Run& run, u64 from_ns, u64 to_ns)
{
	u64 start_ns = std::max(run.start_ns, from_ns);
	u64 end_ns = std::min(run.end_ns, to_ns);
	return end_ns > start_ns ? end_ns - start_ns : 0;
}

}  // namespace

void Outcome::note(u64 at_ns, TraceKind kind, u32 cpu, u32 task, bool keep)
{
	for (u64 word : {at_ns, static_cast<u64>(kind) << 56 | static_cast<u64>(cpu) << 32 | task})
		trace_hash = (trace_hash ^ word) * 0x100000001b3ULL ^ trace_hash >> 29;
	if (keep)
		trace.push_back({at_ns, cpu, task, kind});
}

TaskRecord TaskRecord::since(const TaskRecord& before) const
{
	return {cpu_ns - before.cpu_ns,
		nr_waits - before.nr_waits,
		wait_ns_max,
		nr_migrations - before.nr_migrations,
		nr_preempted - before.nr_preempted,
		nr_runs - before.nr_runs,
		nr_sleeps - before.nr_sleeps,
		own_work_ns - before.own_work_ns};
}

// The least is found in a window that begins where a run ends, or that ends where a run begins.
u64 least_normal_ns(const Outcome& outcome, u32 cpu, u64 window_ns, u64 from_ns, u64 to_ns)
{
	std::vector<Run> runs;
	for (const Run& run : outcome.runs)
		if (run.cpu == cpu && run.is_normal)
			runs.push_back(run);
	auto used_ns = [&](u64 start_ns) {
		auto run = std::partition_point(runs.begin(), runs.end(),
						[&](const Run& one) { return one.end_ns <= start_ns; });
		u64 sum_ns = 0;
		for (; run != runs.end() && run->start_ns < start_ns + window_ns; ++run)
			sum_ns += overlap_ns(*run, start_ns, start_ns + window_ns);
		return sum_ns;
	};
	u64 least_ns = used_ns(from_ns);
	for (const Run& run : runs)
		for (u64 start_ns : {run.end_ns, run.start_ns > window_ns ? run.start_ns - window_ns : 0})
			if (start_ns >= from_ns && start_ns + window_ns <= to_ns)
				least_ns = std::min(least_ns, used_ns(start_ns));
	return least_ns;
}

u64 cpu_ns_between(const Outcome& outcome, u32 task, u64 from_ns, u64 to_ns)
{
	u64 sum_ns = 0;
	for (const Run& run : outcome.runs)
		if (run.task == task)
			sum_ns += overlap_ns(run, from_ns, to_ns);
	return sum_ns;
}

}  // namespace punctual::sim
