// SPDX-License-Identifier: GPL-2.0-only
// A user dispatch queue of sched_ext: by key, and first come first served among equal keys. Keys are compared
// as the kernel does, across the wrap of u64.
#pragma once

#include <algorithm>
#include <vector>

#include "sim/task.h"

namespace punctual::sim {

class DispatchQueue {
 public:
	void insert(Task& task)
	{
		auto after = std::upper_bound(tasks_.begin(), tasks_.end(), task.key, [](u64 key, const Task* other) {
			return static_cast<s64>(key - other->key) < 0;
		});
		tasks_.insert(after, &task);
	}
	void remove(const Task& task) { std::erase(tasks_, &task); }
	const std::vector<Task*>& tasks() const { return tasks_; }  // first first

	u64 polled_ns = 0;  // when a CPU last looked for something to run

 private:
	std::vector<Task*> tasks_;
};

}  // namespace punctual::sim
