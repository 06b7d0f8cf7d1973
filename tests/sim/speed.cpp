// SPDX-License-Identifier: GPL-2.0-only
// How fast the simulator is, as a table for docs/simulator.md: `make sim-speed` runs it on one core.
//
// On each CPU a task that runs 100 us and sleeps 300 us with a budget of 60 us, and one that never sleeps: every
// CPU is busy all the time. Events are what the simulated kernel handled, none of them void. Seconds are CPU time.
//   speed [NR_CPUS [SIMULATED_MS]]: a single row, for a profiler.
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "scenarios.h"

namespace punctual::sim {
namespace {

constexpr u32 kCpusPerCache = 16, kCachesPerNode = 8;

Scenario busy_machine(u32 nr_cpus, u64 duration_ns)
{
	Scenario scenario;
	scenario.machine.nr_cpus = nr_cpus;
	scenario.machine.cpus_per_llc = kCpusPerCache;
	scenario.machine.llcs_per_node = kCachesPerNode;
	scenario.duration_ns = duration_ns;
	scenario.audit = false;
	scenario.classes = {{60'000}};
	for (u32 i = 0; i < nr_cpus; i++) {
		TaskSpec sleeper;
		sleeper.program = Program::sleeper;
		sleeper.class_index = 0;
		sleeper.varies = true;
		sleeper.run_ns = 100'000;
		sleeper.sleep_ns = 300'000;
		scenario.tasks.push_back(sleeper);
		scenario.tasks.push_back(spinner());
	}
	return scenario;
}

void print_row(u32 nr_cpus, u64 duration_ns)
{
	const Scenario scenario = busy_machine(nr_cpus, duration_ns);
	const std::clock_t start = std::clock();
	const Outcome outcome = simulate(scenario);
	const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
	const double simulated_s = static_cast<double>(duration_ns) / 1e9;
	std::printf("| %u | %llu | %.2f | %.0f | %.2f |\n", nr_cpus, outcome.nr_events,
		    static_cast<double>(outcome.nr_events) / seconds / 1e6,
		    seconds * 1e9 / static_cast<double>(outcome.nr_events), seconds / simulated_s);
	std::fflush(stdout);
}

}  // namespace
}  // namespace punctual::sim

int main(int argc, char** argv)
{
	using namespace punctual::sim;
	if (argc > 1) {
		print_row(static_cast<u32>(std::atoi(argv[1])), (argc > 2 ? std::atoi(argv[2]) : 1000) * kMillisecond);
		return 0;
	}
	std::printf(
	    "| CPUs | events | million events/s | ns an event | seconds for a simulated second |\n"
	    "|---:|---:|---:|---:|---:|\n");
	for (u32 nr_cpus = 1; nr_cpus <= CPUS_MAX; nr_cpus *= 4)  // about as many events in each row
		print_row(nr_cpus, nr_cpus <= 64 ? 64 * kSecond / nr_cpus : kSecond);
}
