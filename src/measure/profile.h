// SPDX-License-Identifier: GPL-2.0-only
// What a profile found out, as plain values: the BPF programs by the kernel's statistics, the rest by samples.
#pragma once

#include <string>
#include <vector>

#include "abi/types.h"
#include "measure/stack_tree.h"

namespace punctual {

struct CallbackCost {
	u32 id = 0;
	std::string name;      // of the program
	std::string callback;  // "enqueue"; "" when it is not one of the loaded scheduler
	u64 nr_runs = 0;
	u64 run_ns = 0;          // without what the statistics add
	u64 calibration_ns = 0;  // what they add, a run
};

// Weights of samples: ns of CPUs, or cycles. They add up to all of them.
struct SampleWeights {
	u64 bpf = 0;
	u64 bpf_timers = 0;  // of it: in timers, which have no statistics
	u64 ext_core = 0;
	u64 kernel_scheduler = 0;
	u64 kernel_other = 0;
	u64 user = 0;
	u64 idle = 0;

	u64 scheduler() const { return bpf + ext_core + kernel_scheduler; }
	u64 all() const { return scheduler() + kernel_other + user + idle; }
};

struct Profile {
	std::string scheduler;  // "": the kernel's own
	std::string kernel;     // its release
	u64 begin_ns = 0;       // CLOCK_MONOTONIC
	u64 elapsed_ns = 0;
	u32 nr_cpus = 0;           // sampled ones; the statistics are of all
	bool interrupted = false;  // a signal ended it early
	bool changed = false;      // the scheduler was another one at the end
	std::vector<CallbackCost> callbacks;

	bool by_cycles = false;  // else by the clock of the CPU, which does not see code with interrupts off
	u64 frequency_hz = 0;
	u64 nr_samples = 0;
	u64 nr_lost = 0;
	u64 nr_throttled = 0;
	u64 nr_unnamed = 0;             // frames of which the kernel tells no name
	bool programs_unnamed = false;  // BPF programs among them
	SampleWeights weights;
	StackTree stacks;            // all stacks in the kernel but the idle task's
	StackTree scheduler_stacks;  // of samples in the scheduler, from where it was entered
};

// ns of all programs together, without what the statistics add.
u64 callbacks_ns(const Profile& profile);
u64 callbacks_runs(const Profile& profile);

// How much the samples were of each part, in the order to show them.
struct NamedWeight {
	const char* key;   // "bpf_scheduler"
	const char* name;  // "BPF scheduler"
	u64 weight;
};
std::vector<NamedWeight> named_weights(const SampleWeights& weights);

// A frame as the sampler gives it: to be called for each sample of the kernel, frames from the outermost in.
void add_kernel_sample(Profile* profile, std::span<const std::string_view> frames,
		       const std::set<std::string, std::less<>>& programs, bool is_idle_task, u64 weight);

}  // namespace punctual
