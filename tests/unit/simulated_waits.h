// SPDX-License-Identifier: GPL-2.0-only
// A machine that is not there, for tests of what is made of its waits: snapshots as the collector would give them.
#pragma once

#include <cmath>
#include <numbers>
#include <random>

#include "measure/waits.h"

namespace punctual {

// Waits with a long tail, in bursts: the level of one tenth of a second follows that of the one before.
class SimulatedWaits {
 public:
	static constexpr u64 kWindowNs = 100'000'000;

	explicit SimulatedWaits(u64 seed, double scale = 1.0, u32 waits_per_window = 400)
	    : random_(seed), scale_(scale), waits_per_window_(waits_per_window)
	{}

	// The waits of the next tenth of a second.
	WaitCounts window()
	{
		level_ = 0.7 * level_ + 0.12 * normal();
		WaitCounts counts;
		for (u32 i = 0; i < waits_per_window_; i++)
			counts.record(wait_ns());
		return counts;
	}

 private:
	double uniform() { return (static_cast<double>(random_() >> 11) + 0.5) * 0x1p-53; }
	double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform()); }
	u64 wait_ns()
	{
		double us = 8 * std::exp(level_ + 0.8 * normal());
		if (uniform() < 0.02)  // somebody kept the CPU
			us += 40 * std::pow(uniform(), -1 / 2.5);
		return static_cast<u64>(std::min(us * scale_, 1e6) * 1000);
	}

	std::mt19937_64 random_;
	double scale_;
	u32 waits_per_window_;
	double level_ = 0;
};

// Totals of a machine with `nr_cpus` CPUs and two cgroups, after each tenth of a second.
class SimulatedMachine {
 public:
	explicit SimulatedMachine(u64 seed, u32 nr_cpus = 2) : waits_(seed)
	{
		for (u32 cpu = 0; cpu < nr_cpus; cpu++)
			now_.cpus.emplace_back().cpu = cpu;
		now_.cgroups = {{1, "/", false, {}, {}}, {7, "/vnf.slice", false, {}, {}}};
		now_.at_ns = kStartNs;
	}

	const WaitSnapshot& step()
	{
		now_.at_ns += SimulatedWaits::kWindowNs;
		CpuWaits& cpu = now_.cpus[step_ % now_.cpus.size()];
		CgroupWaits& cgroup = now_.cgroups[step_ % 3 ? 1 : 0];
		const WaitCounts counts = waits_.window();
		cpu.kinds[step_ % kWaitKinds].merge(counts);
		cgroup.waits.merge(counts);
		cgroup.throttling.nr_periods += 1;
		now_.losses.unknown_start = 3;
		now_.losses.wakeup_while_queued += 2;
		now_.culprits = {{1, 7, step_ * 1000}, {7, kUnknownCulprit, step_ * 10}};
		now_.open = {step_ % 2, step_ * 1000, 42, "waiting"};
		step_++;
		return now_;
	}

	static constexpr u64 kStartNs = 5'000'000'000;

 private:
	SimulatedWaits waits_;
	WaitSnapshot now_;
	u64 step_ = 0;
};

}  // namespace punctual
