// SPDX-License-Identifier: GPL-2.0-only
#include "sim/simulation.h"

#include <memory>

#include "sim/audit.h"
#include "sim/fair_shell.h"
#include "sim/kernel.h"
#include "sim/latency_shell.h"
#include "sim/queue_shell.h"
#include "sim/workload.h"

namespace punctual::sim {
namespace {

constexpr u64 kRetryNs = 2 * kMicrosecond;  // of a change that found a lock held
constexpr u32 kReload = ~0U;                // the change that loads the scheduler again
constexpr u64 kEventsPerLook = 1 << 14;     // of the watcher: milliseconds

std::unique_ptr<Scheduler> other_scheduler(const Scenario& scenario, Kernel& kernel)
{
	switch (scenario.policy) {
	case PolicyKind::eevdf:
	case PolicyKind::realtime:
		return std::make_unique<FairShell>(scenario, kernel);
	case PolicyKind::queue:
		return std::make_unique<QueueShell>(kernel);
	default:
		return nullptr;
	}
}

class Simulation {
 public:
	explicit Simulation(const Scenario& scenario)
	    : scenario_(scenario),
	      kernel_(scenario, outcome_),
	      shell_(scenario, kernel_, outcome_),
	      workload_(scenario, kernel_, outcome_),
	      audit_(scenario, kernel_, shell_, outcome_),
	      other_(other_scheduler(scenario, kernel_)),
	      scheduler_(other_ ? *other_ : shell_)
	{
		outcome_.classes.resize(scenario.classes.size() + 1);
		outcome_.tasks.resize(scenario.tasks.size());
		outcome_.rows.resize(scenario.nr_rows);
		outcome_.nr_preempted.resize(scenario.machine.nr_cpus);
		outcome_.reserve_ns_max = scenario.latency.reserve_ns + scenario.latency.switch_ns;
		kernel_.connect(scheduler_, workload_, has_audit() ? &audit_ : nullptr);
	}

	Outcome run(const Watcher& watcher)
	{
		EventQueue& events = kernel_.events();
		workload_.start();
		kernel_.attach();
		for (u32 i = 0; i < scenario_.changes.size(); i++)
			events.add(scenario_.changes[i].at_ns, EventKind::change, i);
		if (has_audit())
			events.add(0, EventKind::sample, 0);
		for (u64 at_ns : {scenario_.count_from_ns, scenario_.count_until_ns})
			if (at_ns && at_ns < scenario_.duration_ns)
				events.add(at_ns, EventKind::count, at_ns == scenario_.count_until_ns);
		events.add(FEASIBLE_WINDOW_NS, EventKind::window, 0);
		while (!events.empty() && events.next_ns() <= scenario_.duration_ns) {
			Event event = events.take();
			kernel_.advance(event.at_ns);
			handle(event);
			if (watcher && outcome_.nr_events % kEventsPerLook == 0 && !watcher(kernel_.now_ns())) {
				outcome_.stopped_ns = kernel_.now_ns();
				break;
			}
			if (workload_.is_over())
				break;
		}
		if (!outcome_.stopped_ns && !workload_.is_over())
			kernel_.advance(scenario_.duration_ns);
		kernel_.finish();
		workload_.finish();
		if (outcome_.counted.empty())
			end_counting();
		return std::move(outcome_);
	}

 private:
	void handle(const Event& event)
	{
		if (event.kind == EventKind::sample) {
			audit_.sample();
			kernel_.events().add(event.at_ns + audit_.sample_ns(), EventKind::sample, 0);
			return;
		}
		if (event.kind == EventKind::window) {
			scheduler_.windows_end();
			kernel_.events().add(event.at_ns + FEASIBLE_WINDOW_NS, EventKind::window, 0);
			return;
		}
		if (event.kind == EventKind::count) {
			if (event.index)
				end_counting();
			else
				begin_counting();
			return;
		}
		outcome_.nr_events++;
		if (event.kind != EventKind::change)
			kernel_.handle(event);
		else if (event.index == kReload)
			kernel_.attach();
		else if (!apply(scenario_.changes[event.index]))
			kernel_.events().add(event.at_ns + kRetryNs, EventKind::change, event.index);
	}

	// Invariants are those of scx_latency; what others promise is less.
	bool has_audit() const { return scenario_.audit && scenario_.policy == PolicyKind::latency; }

	void begin_counting()
	{
		kernel_.count_work();
		before_ = outcome_.tasks;
		for (ClassRecord& record : outcome_.classes)
			record.waits = Histogram();
	}

	void end_counting()
	{
		kernel_.count_work();
		outcome_.counted = outcome_.tasks;
		for (size_t i = 0; i < before_.size(); i++)
			outcome_.counted[i] = outcome_.counted[i].since(before_[i]);
	}

	bool apply(const Change& change)
	{
		switch (change.kind) {
		case ChangeKind::set_cpus: {
			Task& task = kernel_.tasks()[change.index];
			CpuSet cpus;
			for (u32 cpu : change.cpus)
				cpus.add(cpu);
			return kernel_.set_cpus(task, cpus);
		}
		case ChangeKind::set_budget:
			shell_.set_budget(change.index, change.budget_ns);
			return true;
		case ChangeKind::set_weight:
			if (!other_)  // the others keep the weights that they began with
				shell_.cgroup_set_weight(change.index, change.weight);
			return true;
		case ChangeKind::set_group:
			kernel_.tasks()[change.index].group = change.group;
			return true;
		case ChangeKind::eject:
			kernel_.eject();
			audit_.on_ejected();
			return true;
		default:
			if (!kernel_.set_online(change.index, change.kind == ChangeKind::cpu_online))
				return false;
			audit_.on_ejected();
			kernel_.events().add(kernel_.now_ns() + scenario_.reload_ns, EventKind::change, kReload);
			return true;
		}
	}

	const Scenario& scenario_;
	Outcome outcome_;
	Kernel kernel_;
	LatencyShell shell_;
	Workload workload_;
	Audit audit_;
	std::unique_ptr<Scheduler> other_;  // none: scx_latency
	Scheduler& scheduler_;
	std::vector<TaskRecord> before_;
};

}  // namespace

Outcome simulate(const Scenario& scenario, const Watcher& watcher)
{
	return Simulation(scenario).run(watcher);
}

}  // namespace punctual::sim
