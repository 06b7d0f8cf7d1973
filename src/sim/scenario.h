// SPDX-License-Identifier: GPL-2.0-only
// What is simulated: a machine, classes, tasks, and what somebody changes meanwhile. Plain values; the same
// scenario gives the same run to the nanosecond.
#pragma once

#include <vector>

#include "abi/sched.h"
#include "sim/topology.h"

namespace punctual::sim {

constexpr u64 kMicrosecond = 1000;
constexpr u64 kMillisecond = 1000 * kMicrosecond;
constexpr u64 kSecond = 1000 * kMillisecond;

// Those that are 0 are not there: the least that a scheduler's rules need is in the first five.
struct CostSpec {
	u64 switch_ns = 1500;      // from choosing a task to its first instruction
	u64 remote_pull_ns = 500;  // on top, for a task that waited on another CPU
	u64 idle_entry_ns = 300;   // from finding no task until others may claim the CPU
	u64 ipi_ns = 1000;         // until another CPU hears that it must choose again
	u64 timer_late_ns = 2000;  // at most; uniform
	// Taken from whoever runs on the CPU, with interrupts off:
	u64 wakeup_ns = 0;       // an interrupt that wakes a task, from its cause until the task is queued
	u64 wakeup_exit_ns = 0;  // and from there until the CPU may choose again
	u64 tick_ns = 0;
	u64 timer_ns = 0;       // the scheduler's timer, until it acts
	u64 sleep_ns = 0;       // from a task's last own instruction until it is off the run queue
	u64 idle_exit_ns = 0;   // on top of a wakeup of an idle CPU
	u32 smt_percent = 100;  // speed of each thread of a core while more than one is busy
};

// CPUs are numbered cache by cache, node by node.
struct MachineSpec {
	std::vector<CpuPlace> places;  // one a CPU; empty: what the next three say, without SMT
	u32 nr_cpus = 1;
	u32 cpus_per_llc = 1024;
	u32 llcs_per_node = 1024;
	u32 hz = 250;
	u32 pid_max = 32768;
	u32 pid_first = 1;
	CostSpec costs;

	CpuPlace place_of(u32 cpu) const
	{
		const u32 llc = cpu / cpus_per_llc;
		return places.empty() ? CpuPlace{static_cast<u16>(llc / llcs_per_node), static_cast<u16>(llc),
						 static_cast<u16>(cpu)}
				      : places[cpu];
	}
};

enum class PolicyKind : u8 {
	latency,   // scx_latency
	eevdf,     // the kernel's own scheduler
	realtime,  // tasks of a class under SCHED_FIFO, all others under EEVDF
	queue,     // one queue for all, first come first served
};

// The tunables of scx_latency, with its names; a test holds the values against bpf/latency_state.bpf.h.
struct LatencySpec {
	u64 slice_ns = 4 * kMillisecond;
	u64 credit_ns = 4 * kMillisecond;
	u64 debt_ns = 400 * kMillisecond;
	u32 floor_percent = 10;
	u64 floor_window_ns = 100 * kMillisecond;
	u64 grain_ns = 200 * kMicrosecond;
	u64 cap_period_ns = 100 * kMillisecond;
	u64 burst_ns = 10 * kMicrosecond;
	u64 reserve_ns = 8 * kMicrosecond;
	u64 reserve_max_ns = 200 * kMicrosecond;
	u64 switch_ns = 10 * kMicrosecond;
	u64 slack_min_ns = 5 * kMicrosecond;
	u64 kthread_budget_ns = 50 * kMicrosecond;
	u64 hysteresis_ns = 10 * kMicrosecond;
	u64 turn_min_ns = 100 * kMicrosecond;
	u64 retry_ns = 50 * kMicrosecond;
	u64 weight_epoch_ns = 100 * kMillisecond;
	u64 vtime_first = 0;            // where the clocks of virtual time begin
	std::vector<u32> cpus_outside;  // not in --cpus
};

struct ClassSpec {
	u64 budget_ns;
	u32 cap_percent = 0;  // of one CPU; 0: none
};

constexpr u32 kRootGroup = ~0U;

// A cgroup with the cpu controller.
struct GroupSpec {
	u32 parent = kRootGroup;  // in Scenario::groups, before it
	u32 weight = 100;
};

enum class Program : u8 {
	spin,     // never sleeps
	sleeper,  // runs run_ns, sleeps sleep_ns, again and again
	packets,  // empties its ring, run_ns a packet, and sleeps
	forks,    // as sleeper, and each time leaves a child that runs run_ns and exits
	once,     // runs run_ns and exits
	script,   // does one step after the other, and exits after the last
};

enum class ScriptOp : u8 {
	run,          // value: ns
	sleep,        // value: ns
	sleep_until,  // value: ns since the beginning of the run; not at all when that is past
	timer,        // object; value: its period. From a miss on it counts anew;
	timer_fixed,  // this one does not, and catches up
	lock,         // object: a mutex, handed over to the first who waits; the owner may lock it again
	unlock,
	wait,   // object: a condition; value: the mutex that is let go meanwhile, or kNoObject
	wake,   // object: a condition; the first who waits
	wakes,  // the same, all of them
	meet,   // object; value: so many tasks wait for each other
	post,   // object: a wakeup that is remembered when nobody waits
	take,   // waits for one
	yield,
	again,     // object: step to go back to; value: times, counted in slot, or kForever
	set_cpus,  // object: in TaskSpec::masks
	fork,      // object: in Scenario::tasks
};

constexpr u32 kNoObject = ~0U;
constexpr u64 kForever = ~0ULL;
constexpr u32 kScriptSlots = 2;

// Objects are numbered from 0, all kinds together, and shared by all tasks of the scenario.
struct ScriptStep {
	ScriptOp op;
	u32 slot = 0;
	u32 object = kNoObject;
	u64 value = 0;

	bool operator==(const ScriptStep&) const = default;
};

enum class Arrivals : u8 {
	constant,
	poisson,
	bursts,
	on_off,  // phases of phase_ns in the mean, exponential, by turns: twice the rate, and nothing
	mmpp,    // the same with 1.8 and 0.2 times the rate, and Poisson within a phase
};

struct NicSpec {
	Arrivals arrivals = Arrivals::constant;
	u64 interval_ns = 0;  // between packets, or between bursts; else the mean
	u32 burst = 1;
	u32 ring = 256;
	u64 coalesce_ns = 0;  // the card interrupts that long after the first packet (ethtool -C rx-usecs)
	u64 phase_ns = 10 * kMillisecond;
	bool imix = false;  // 7 : 4 : 1 of small, middle and large ones, which cost 1, 2 and 4 times run_ns
};

constexpr u32 kNoClass = ~0U;
constexpr u32 kNoRow = ~0U;

struct TaskSpec {
	Program program = Program::spin;
	u32 class_index = kNoClass;  // in Scenario::classes; none: normal
	u32 group = kRootGroup;      // in Scenario::groups
	u32 weight = 100;
	std::vector<u32> cpus;  // that may run it; none: all
	bool kthread = false;
	bool varies = false;  // run_ns and sleep_ns are means
	u64 run_ns = 0;
	u64 sleep_ns = 0;
	u64 section_ns = 0;         // it cannot be preempted for that long,
	u64 section_every_ns = 0;   // once in that much of its running time
	u32 unmovable_percent = 0;  // part of its turns in which it may not migrate
	u64 start_ns = 0;
	NicSpec nic;
	std::vector<ScriptStep> script;
	std::vector<std::vector<u32>> masks;  // those of set_cpus
	bool is_forked = false;               // it begins only by a fork of another
	u32 row = kNoRow;                     // in Outcome::rows
};

enum class ChangeKind : u8 { set_cpus, set_budget, cpu_offline, cpu_online, eject, set_weight, set_group };

struct Change {
	u64 at_ns;
	ChangeKind kind;
	u32 index = 0;               // of a task, a class, a CPU or a group
	std::vector<u32> cpus = {};  // with set_cpus
	u64 budget_ns = 0;           // with set_budget
	u32 weight = 0;              // with set_weight
	u32 group = kRootGroup;      // with set_group
};

struct Scenario {
	u64 seed = 1;
	u64 duration_ns = 100 * kMillisecond;
	u64 count_from_ns = 0;       // packets that come, and work that is done, from here
	u64 count_until_ns = ~0ULL;  // to here are counted; no packets come later
	PolicyKind policy = PolicyKind::latency;
	u64 reload_ns = 5 * kMillisecond;  // from a hotplug, which ends the scheduler, until it is loaded again
	MachineSpec machine;
	LatencySpec latency;
	std::vector<ClassSpec> classes;
	std::vector<GroupSpec> groups;
	std::vector<TaskSpec> tasks;
	std::vector<Change> changes;
	u32 nr_rows = 0;          // tasks of scripts are counted in these
	bool audit = true;        // look for broken invariants while it runs
	bool keep_trace = false;  // and not only its hash
};

}  // namespace punctual::sim
