// SPDX-License-Identifier: GPL-2.0-only
// What tasks do when they run, and what wakes them: programs, sleeps and packets.
#pragma once

#include <algorithm>

#include "sim/script.h"

namespace punctual::sim {

class Workload {
 public:
	static constexpr u32 kChildrenMax = 2000;  // alive at a time: a storm, not a collapse

	Workload(const Scenario& scenario, Kernel& kernel, Outcome& outcome)
	    : scenario_(scenario), kernel_(kernel), outcome_(outcome), script_(scenario, kernel)
	{}

	void start();                  // makes the tasks; each wakes at its start
	Step finished(Task& task);     // it did its work: what now?
	Step leave(Task& task);        // it is about to sleep; if it does, what wakes it is set. Sleep or work.
	void on_wake(Task& task);      // its sleep is over, or packets came
	void change_cpus(Task& task);  // to those that its script asked for
	void finish();                 // adds up what rings lost
	bool is_over() const { return script_.is_over(); }  // there were scripts, and all have ended

 private:
	u64 length_ns(Task& task, u64 mean_ns);
	void admit(Task& task);
	void await_packets(const Task& task);
	void packet_done(Task& task);
	size_t record_of(const Task& task) const
	{
		return std::min<size_t>(task.class_index(), scenario_.classes.size());
	}
	Step next_packet(Task& task);
	void fork(const Task& parent);

	const Scenario& scenario_;
	Kernel& kernel_;
	Outcome& outcome_;
	ScriptRunner script_;
	u32 nr_children_ = 0;
	u64 nr_streams_ = 0;
};

}  // namespace punctual::sim
