// SPDX-License-Identifier: GPL-2.0-only
// Looks for broken invariants while a run goes on. It believes neither the scheduler nor the queues: the
// earliest deadline is found in sorted sets of its own, and every task is counted.
#pragma once

#include <map>
#include <set>
#include <string>

#include "sim/latency_shell.h"

namespace punctual::sim {

class Audit {
 public:
	static constexpr u64 kSampleNs = 20 * kMicrosecond;
	static constexpr u64 kIdleNsMax = 50 * kMicrosecond;  // I1 and I6

	Audit(const Scenario& scenario, const Kernel& kernel, const LatencyShell& shell, Outcome& outcome);

	void on_place(const Task& task, TaskPlace to);  // I8: from one place to another
	void on_enqueued(const Task& task);             // I8: a callback has placed it
	void on_dispatch(u32 cpu, const Task& task);    // I2: before it is taken from its queue
	void on_ejected();                              // I13
	void sample();                                  // I1, I6, I7, I8
	u64 sample_ns() const;                          // how often

 private:
	using Deadlines = std::set<std::pair<u64, u32>>;  // and whose it is

	void check_idle_cpu(const Cpu& cpu);
	void check_polled();
	void check_places();
	bool may_gather_packets(const Task& task) const;
	const Task* earliest(u32 cpu, u32 queue) const;
	void broken(const char* invariant, const std::string& what);

	const Scenario& scenario_;
	const Kernel& kernel_;
	const LatencyShell& shell_;
	Outcome& outcome_;
	std::map<u32, Deadlines> deadlines_;  // by queue
	u32 nr_samples_ = 0;
};

}  // namespace punctual::sim
