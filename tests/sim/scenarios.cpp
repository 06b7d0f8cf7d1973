// SPDX-License-Identifier: GPL-2.0-only
#include "scenarios.h"

#include <algorithm>

#include "sim/random.h"

namespace punctual::sim {
namespace {

u64 log_between(Random& random, u64 least, u64 most)
{
	double ratio = std::log(static_cast<double>(most) / static_cast<double>(least));
	double unit = static_cast<double>(random.below(1'000'001)) / 1e6;
	return static_cast<u64>(static_cast<double>(least) * std::exp(ratio * unit));
}

template <typename T>
T one_of(Random& random, std::initializer_list<T> values)
{
	return *(values.begin() + random.below(values.size()));
}

MachineSpec random_machine(Random& random)
{
	MachineSpec machine;
	machine.nr_cpus = static_cast<u32>(random.chance(4) ? random.between(9, 48) : random.between(1, 8));
	machine.cpus_per_llc = one_of<u32>(random, {1, 2, 4, 8, 64, 64});
	machine.llcs_per_node = one_of<u32>(random, {1, 2, 64});
	machine.hz = one_of<u32>(random, {100, 250, 250, 1000});
	machine.costs.switch_ns = random.between(300, 4'000);
	machine.costs.remote_pull_ns = random.between(0, 2'000);
	machine.costs.idle_entry_ns = random.between(50, 1'000);
	machine.costs.ipi_ns = random.between(200, 3'000);
	machine.costs.timer_late_ns = random.between(0, 5'000);
	return machine;
}

std::vector<u32> random_cpus(Random& random, u32 nr_cpus)
{
	std::vector<u32> cpus;
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		if (random.chance(50))
			cpus.push_back(cpu);
	if (cpus.empty() || random.chance(50))
		return {static_cast<u32>(random.below(nr_cpus))};
	return cpus;
}

NicSpec random_nic(Random& random)
{
	NicSpec nic;
	nic.arrivals = one_of(random, {Arrivals::constant, Arrivals::poisson, Arrivals::bursts});
	nic.interval_ns = log_between(random, 12'000, 500'000);
	nic.burst = static_cast<u32>(random.between(2, 40));
	nic.ring = one_of<u32>(random, {8, 64, 256});
	if (nic.arrivals == Arrivals::bursts)
		nic.interval_ns *= nic.burst;
	return nic;
}

void random_program(Random& random, TaskSpec& task)
{
	task.program = one_of(random, {Program::spin, Program::sleeper, Program::sleeper, Program::packets,
				       Program::once, Program::spin});
	if (random.chance(4))
		task.program = Program::forks;
	task.varies = random.chance(60);
	task.run_ns = log_between(random, 1'000, 2'000'000);
	task.sleep_ns = log_between(random, 10'000, 3'000'000);
	if (task.program == Program::packets) {
		task.nic = random_nic(random);
		task.run_ns = random.between(500, 6'000);
	}
	if (task.program == Program::forks)
		task.sleep_ns = log_between(random, 200'000, 3'000'000);
}

TaskSpec random_task(Random& random, const Scenario& scenario)
{
	TaskSpec task;
	random_program(random, task);
	if (random.chance(45))
		task.class_index = static_cast<u32>(random.below(scenario.classes.size()));
	task.weight = static_cast<u32>(log_between(random, 1, 10'000));
	if (random.chance(40))
		task.cpus = random_cpus(random, scenario.machine.nr_cpus);
	if (random.chance(10)) {
		task.kthread = true;
		task.program = Program::sleeper;
		task.class_index = kNoClass;
		task.cpus = {static_cast<u32>(random.below(scenario.machine.nr_cpus))};
		task.run_ns = log_between(random, 1'000, 200'000);
	}
	if (random.chance(30)) {
		task.section_ns = log_between(random, 500, 60'000);
		task.section_every_ns = task.section_ns * random.between(2, 20);
	}
	task.unmovable_percent = random.chance(15) ? 30 : 0;
	task.start_ns = random.below(3 * kMillisecond);
	return task;
}

Change random_change(Random& random, const Scenario& scenario)
{
	Change change = {};
	u32 nr_cpus = scenario.machine.nr_cpus;
	u64 kind = random.below(100);
	change.at_ns = random.below(scenario.duration_ns);
	if (kind < 70) {
		change.kind = ChangeKind::set_cpus;
		change.index = static_cast<u32>(random.below(scenario.tasks.size()));
		change.cpus = random_cpus(random, nr_cpus);
	} else if (kind < 85) {
		change.kind = ChangeKind::set_budget;
		change.index = static_cast<u32>(random.below(scenario.classes.size()));
		change.budget_ns = random.chance(20) ? 0 : log_between(random, 5'000, 3'000'000);
	} else if (kind < 97) {
		change.kind = random.chance(50) ? ChangeKind::cpu_offline : ChangeKind::cpu_online;
		change.index = static_cast<u32>(random.below(nr_cpus));
	} else {
		change.kind = ChangeKind::eject;
	}
	return change;
}

void random_groups(Random& random, Scenario& scenario)
{
	scenario.latency.weight_epoch_ns = one_of(random, {kMillisecond, 10 * kMillisecond, 100 * kMillisecond});
	for (u32 i = 0, number = static_cast<u32>(random.below(6)); i < number; i++)
		scenario.groups.push_back({i == 0 || random.chance(50) ? kRootGroup : static_cast<u32>(random.below(i)),
					   static_cast<u32>(log_between(random, 1, 10'000))});
	if (scenario.groups.empty())
		return;
	auto one_group = [&] { return static_cast<u32>(random.below(scenario.groups.size())); };
	for (TaskSpec& task : scenario.tasks)
		if (!task.kthread && random.chance(70))
			task.group = one_group();
	for (u64 i = random.below(4); i > 0; i--) {
		Change change = {random.below(scenario.duration_ns), ChangeKind::set_weight, one_group()};
		change.weight = static_cast<u32>(log_between(random, 1, 10'000));
		if (random.chance(50)) {
			change.kind = ChangeKind::set_group;
			change.index = static_cast<u32>(random.below(scenario.tasks.size()));
			change.group = one_group();
		}
		scenario.changes.push_back(change);
	}
}

double share(const TaskSpec& task)
{
	double every = static_cast<double>(task.nic.interval_ns);
	if (task.program == Program::packets)
		return static_cast<double>(task.run_ns) * (task.nic.arrivals == Arrivals::bursts ? task.nic.burst : 1) /
		       every;
	return static_cast<double>(task.run_ns) / static_cast<double>(task.run_ns + task.sleep_ns);
}

// The most CPU time that a task asks for in a window, with what its switches cost.
double demand_ns(const Scenario& scenario, const TaskSpec& task, double window_ns)
{
	double budget_ns = static_cast<double>(scenario.classes[task.class_index].budget_ns);
	double switches_ns =
	    2.0 * static_cast<double>(scenario.machine.costs.switch_ns + scenario.machine.costs.ipi_ns);
	double burst_ns = static_cast<double>(task.run_ns);

	if (task.program != Program::packets)
		return (window_ns / static_cast<double>(task.run_ns + task.sleep_ns) + 2) * (burst_ns + switches_ns);
	burst_ns *= task.nic.arrivals == Arrivals::bursts ? task.nic.burst : 1;
	return share(task) * (window_ns + budget_ns) + 2 * burst_ns + (window_ns / budget_ns + 2) * switches_ns;
}

// Half of its budget is left for what the rules allow to come before it.
bool is_admitted(const Scenario& scenario)
{
	for (const TaskSpec& task : scenario.tasks) {
		if (task.class_index == kNoClass)
			continue;
		double budget_ns = static_cast<double>(scenario.classes[task.class_index].budget_ns);
		double asked_ns = 0;
		double asked_share = 0;
		for (const TaskSpec& other : scenario.tasks) {
			if (other.class_index == kNoClass)
				continue;
			asked_share += share(other);
			if (&other != &task)
				asked_ns += demand_ns(scenario, other, budget_ns);
		}
		if (asked_ns > budget_ns / 2 || asked_share > 0.8)
			return false;
	}
	return true;
}

}  // namespace

TaskSpec packet_function(u32 class_index, u64 interval_ns)
{
	TaskSpec task;
	task.program = Program::packets;
	task.class_index = class_index;
	task.run_ns = 2'500;
	task.nic.arrivals = Arrivals::poisson;
	task.nic.interval_ns = interval_ns;
	return task;
}

TaskSpec spinner(u32 class_index)
{
	TaskSpec task;
	task.class_index = class_index;
	return task;
}

TaskSpec telemetry()
{
	TaskSpec task;
	task.section_ns = 10'000;
	task.section_every_ns = 60'000;
	return task;
}

Scenario random_scenario(u64 seed)
{
	Random random(seed, 1);
	Scenario scenario;
	scenario.seed = seed;
	scenario.duration_ns = random.between(10, 30) * kMillisecond;
	scenario.machine = random_machine(random);
	scenario.latency.floor_percent = static_cast<u32>(random.between(1, 40));
	for (u64 i = random.between(1, 4); i > 0; i--)
		scenario.classes.push_back({log_between(random, 12'000, 2'000'000),
					    static_cast<u32>(random.chance(30) ? random.between(5, 300) : 0)});
	for (u32 cpu = 0; random.chance(10) && cpu < scenario.machine.nr_cpus; cpu += 2)
		scenario.latency.cpus_outside.push_back(cpu);
	for (u64 i = random.between(1, 2 * scenario.machine.nr_cpus + 4); i > 0; i--)
		scenario.tasks.push_back(random_task(random, scenario));
	for (u64 i = random.chance(60) ? random.between(1, 6) : 0; i > 0; i--)
		scenario.changes.push_back(random_change(random, scenario));
	random_groups(random, scenario);  // last: a seed keeps what it drew before
	return scenario;
}

// Nodes, caches and threads as well; shorter, as there is more of it.
Scenario random_large_scenario(u64 seed)
{
	Random random(seed, 3);
	Scenario scenario;
	const u32 threads = one_of<u32>(random, {1, 2});
	const u32 cores = one_of<u32>(random, {1, 4, 8, 16});
	const u32 caches = one_of<u32>(random, {1, 2, 8});
	const u32 nodes = static_cast<u32>(random.between(1, CPUS_MAX / (threads * cores * caches)));
	scenario.seed = seed;
	scenario.duration_ns = random.between(3, 8) * kMillisecond;
	scenario.machine = random_machine(random);
	scenario.machine.places = *parse_topology(fmt::format("{}x{}x{}x{}", nodes, caches, cores, threads));
	scenario.machine.nr_cpus = static_cast<u32>(scenario.machine.places.size());
	scenario.machine.costs.smt_percent = static_cast<u32>(random.between(50, 100));
	for (u64 i = random.between(1, 4); i > 0; i--)
		scenario.classes.push_back({log_between(random, 12'000, 2'000'000)});
	for (u64 i = random.between(1, 2 * scenario.machine.nr_cpus + 4); i > 0; i--)
		scenario.tasks.push_back(random_task(random, scenario));
	for (u64 i = random.below(4); i > 0; i--)
		scenario.changes.push_back(random_change(random, scenario));
	return scenario;
}

Scenario random_admitted_scenario(u64 seed)
{
	Random random(seed, 2);
	Scenario scenario;
	scenario.seed = seed;
	scenario.duration_ns = random.between(10, 40) * kMillisecond;
	scenario.machine = random_machine(random);
	bool one_cpu = random.chance(50);
	u32 cpu = static_cast<u32>(random.below(scenario.machine.nr_cpus));
	for (u32 i = 0; i < 4; i++)
		scenario.classes.push_back({log_between(random, 30'000, 2'000'000)});
	for (u32 i = 0; i < 8; i++) {
		TaskSpec task = random_task(random, scenario);
		if (i < 5 && !task.kthread) {
			task.program = task.program == Program::packets ? task.program : Program::sleeper;
			task.varies = false;
			task.run_ns = random.between(1'000, 20'000);
			task.nic.arrivals =
			    task.nic.arrivals == Arrivals::poisson ? Arrivals::constant : task.nic.arrivals;
			if (task.program == Program::packets)
				task.run_ns = random.between(500, 3'000);
			task.class_index = static_cast<u32>(random.below(4));
			task.section_ns = task.section_every_ns = 0;
		} else {
			task.class_index = kNoClass;
		}
		if (one_cpu)
			task.cpus = {cpu};
		scenario.tasks.push_back(task);
		if (!is_admitted(scenario))
			scenario.tasks.pop_back();
	}
	return scenario;
}

u64 longest_wait_ns(const Scenario& scenario, const Outcome& outcome, u32 class_index)
{
	const CostSpec& costs = scenario.machine.costs;
	u64 section_ns = 0;
	for (const TaskSpec& task : scenario.tasks)
		section_ns = std::max(section_ns, task.section_ns);
	return scenario.classes[class_index].budget_ns + outcome.reserve_ns_max + scenario.latency.grain_ns +
	       section_ns + 2 * (costs.switch_ns + costs.remote_pull_ns + costs.ipi_ns) + costs.timer_late_ns;
}

}  // namespace punctual::sim
