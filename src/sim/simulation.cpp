// SPDX-License-Identifier: GPL-2.0-only
#include "sim/simulation.h"

#include "sim/audit.h"
#include "sim/kernel.h"
#include "sim/latency_shell.h"
#include "sim/workload.h"

namespace punctual::sim {
namespace {

constexpr u64 kRetryNs = 2 * kMicrosecond;  // of a change that found a lock held
constexpr u32 kReload = ~0U;                // the change that loads the scheduler again

class Simulation {
 public:
	explicit Simulation(const Scenario& scenario)
	    : scenario_(scenario),
	      kernel_(scenario, outcome_),
	      shell_(scenario, kernel_, outcome_),
	      workload_(scenario, kernel_, outcome_),
	      audit_(scenario, kernel_, shell_, outcome_)
	{
		outcome_.classes.resize(scenario.classes.size() + 1);
		outcome_.tasks.resize(scenario.tasks.size());
		outcome_.nr_preempted.resize(scenario.machine.nr_cpus);
		outcome_.reserve_ns_max = scenario.latency.reserve_ns + scenario.latency.switch_ns;
		kernel_.connect(shell_, workload_, scenario.audit ? &audit_ : nullptr);
	}

	Outcome run()
	{
		EventQueue& events = kernel_.events();
		workload_.start();
		kernel_.attach();
		for (u32 i = 0; i < scenario_.changes.size(); i++)
			events.add(scenario_.changes[i].at_ns, EventKind::change, i);
		if (scenario_.audit)
			events.add(0, EventKind::sample, 0);
		events.add(FEASIBLE_WINDOW_NS, EventKind::window, 0);
		while (!events.empty() && events.next_ns() <= scenario_.duration_ns) {
			Event event = events.take();
			kernel_.advance(event.at_ns);
			handle(event);
		}
		kernel_.advance(scenario_.duration_ns);
		kernel_.finish();
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
			shell_.windows_end();
			kernel_.events().add(event.at_ns + FEASIBLE_WINDOW_NS, EventKind::window, 0);
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
};

}  // namespace

Outcome simulate(const Scenario& scenario)
{
	return Simulation(scenario).run();
}

}  // namespace punctual::sim
