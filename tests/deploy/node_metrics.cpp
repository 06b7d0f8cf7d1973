// SPDX-License-Identifier: GPL-2.0-only
// node_metrics [CGROUPS [CLASSES]]: prints what `punctual serve` answers on /metrics of a node on which everything that
// it can tell is there, by the code of the program itself. Rules, dashboards and the simulated fleet are tested against
// it.
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>

#include "export/live.h"
#include "guard/guard_record.h"

namespace punctual {
namespace {

// A hundred waits from 2 us on, each 9 % longer than the one before: the last ones are 10 ms.
void record_waits(WaitCounts& counts)
{
	u64 wait_ns = 2'000;
	for (u64 wait = 0; wait < 100; wait++, wait_ns += wait_ns * 9 / 100)
		counts.record(wait_ns, 100 - wait);
}

WaitSnapshot waits_of(u64 nr_cgroups)
{
	WaitSnapshot total;
	CpuWaits cpu;
	for (WaitCounts& kind : cpu.kinds)
		record_waits(kind);
	total.cpus = {cpu};
	for (u64 id = 0; id <= nr_cgroups; id++) {
		const std::string path =
		    id == 0 ? "(other)" : "/system.slice/service-" + std::to_string(id) + ".service";
		total.cgroups.push_back({.id = id, .path = path, .removed = false, .waits = {}, .throttling = {}});
		record_waits(total.cgroups.back().waits);
	}
	return total;
}

LiveFacts facts_of(u64 nr_cgroups, u64 nr_classes)
{
	LiveFacts facts;
	facts.version = "1.0";
	facts.at_ns = 1'700'000'000'000'000'000;
	facts.scheduler.ops = "scx_latency";
	facts.scheduler.nr_starved = 0;
	for (u64 at = 0; at < nr_classes; at++)
		facts.scheduler.classes.push_back({.cgroup = "/vnf-" + std::to_string(at) + ".slice",
						   .budget_ns = 60'000,
						   .nr_waits = 10'000,
						   .nr_missed = 1,
						   .wait_ns_sum = 200'000'000,
						   .nr_windows = 600});
	for (const char* name : {"latency_select", "latency_enqueue", "latency_dispatch", "latency_running",
				 "latency_stopping", "latency_tick", "latency_timer"})
		facts.programs.push_back({.name = name, .run_ns = 1'000'000});
	facts.probes_ns = 2'000'000;
	facts.waits = waits_of(nr_cgroups);
	return facts;
}

// `none` where there is no such word.
u64 number(int argc, char** argv, int at, u64 none)
{
	if (at >= argc)
		return none;
	const std::string_view word = argv[at];
	u64 value = none;
	std::from_chars(word.data(), word.data() + word.size(), value);
	return value;
}

}  // namespace
}  // namespace punctual

int main(int argc, char** argv)
{
	using namespace punctual;
	const std::string text = live_metrics(facts_of(number(argc, argv, 1, 20), number(argc, argv, 2, 16))) +
				 guard_state_metrics(GuardState{});
	return std::fputs(text.c_str(), stdout) < 0 ? 1 : 0;
}
