// SPDX-License-Identifier: GPL-2.0-only
#include "runq/collector.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "runq/collector_state.h"

namespace punctual {
namespace {

constexpr u32 kSpareRows = 64;  // for cgroups that come, beside twice those that are there

// As many as the machine may need: a row takes four KiB on each CPU.
u32 rows_for(size_t nr_cgroups, u32 cgroups_max)
{
	const size_t wanted = 2 * nr_cgroups + kSpareRows;
	return static_cast<u32>(std::min<size_t>({wanted, cgroups_max, RUNQ_ROWS_MAX - 1})) + 1;
}

}  // namespace

Result<Collector> Collector::attach(const CollectorOptions& options)
{
	CgroupNames names;
	Probes probes = TRY(Probes::load(options, rows_for(names.nr_present(), options.cgroups_max)));
	auto state = std::make_unique<State>(options, std::move(names), std::move(probes));
	state->cpus = options.cpus ? *options.cpus : TRY(CpuList::possible());
	return Collector(std::move(state));
}

Collector::Collector(std::unique_ptr<State> state) : state_(std::move(state)) {}
Collector::Collector(Collector&&) noexcept = default;
Collector& Collector::operator=(Collector&&) noexcept = default;
Collector::~Collector() = default;

Result<WaitSnapshot> Collector::snapshot()
{
	WaitSnapshot snapshot;
	TRY(state_->read_cpus(&snapshot));
	TRY(state_->rows.read(&state_->names, &snapshot));
	snapshot.at_ns = monotonic_ns();
	state_->rows.read_culprits(&snapshot);
	TRY(state_->read_tasks(&snapshot));
	TRY(state_->rows.give_back(&state_->names, snapshot.at_ns));
	state_->follow_threshold(snapshot.all());
	return snapshot;
}

Result<std::vector<WaitOutlier>> Collector::outliers()
{
	return state_->drain_outliers();
}

Result<ProbeCost> Collector::cost()
{
	if (!state_->cost) {
		std::vector<MeteredProgram> programs;
		programs.reserve(state_->probes.events.size());
		for (const int fd : state_->probes.events)
			programs.push_back({.fd = fd});
		state_->cost = TRY(ProgramCostMeter::start(programs));
	}
	const ProgramCosts costs = state_->cost->read();
	ProbeCost sum;
	sum.elapsed_ns = costs.elapsed_ns;
	for (const ProgramCost& cost : costs.programs) {
		sum.nr_events += cost.nr_runs;
		sum.run_ns += cost.run_ns;
		sum.calibration_ns = cost.calibration_ns;
	}
	return sum;
}

}  // namespace punctual
