// SPDX-License-Identifier: GPL-2.0-only
// A user dispatch queue of sched_ext: by key, and first come first served among equal keys. Keys are compared
// as the kernel does, across the wrap of u64.
//
// A sorted array: schedulers look at the first few, and at the last. It moves the shorter side, so what comes and goes
// at either end costs nothing however long the queue is. Keys of queued tasks do not change.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "sim/task.h"

namespace punctual::sim {

class DispatchQueue {
 public:
	void insert(Task& task)
	{
		auto after = std::upper_bound(begin(), tasks_.end(), task.key, [](u64 key, const Task* other) {
			return static_cast<s64>(key - other->key) < 0;
		});
		if (nr_free_ && after - begin() < tasks_.end() - after) {
			std::move(begin(), after, begin() - 1);
			*(after - 1) = &task;
			nr_free_--;
		} else {
			tasks_.insert(after, &task);
		}
	}
	void remove(const Task& task)
	{
		auto at = std::lower_bound(begin(), tasks_.end(), task.key, [](const Task* other, u64 key) {
			return static_cast<s64>(other->key - key) < 0;
		});
		at = std::find(at, tasks_.end(), &task);
		if (at == tasks_.end())
			return;
		if (at - begin() < tasks_.end() - at) {
			std::move_backward(begin(), at, at + 1);
			nr_free_++;
		} else {
			tasks_.erase(at);
		}
		if (nr_free_ == tasks_.size()) {
			tasks_.clear();
			nr_free_ = 0;
		}
	}
	std::span<Task* const> tasks() const { return {tasks_.data() + nr_free_, tasks_.size() - nr_free_}; }

	u64 polled_ns = 0;  // when a CPU last looked for something to run

 private:
	std::vector<Task*>::iterator begin() { return tasks_.begin() + static_cast<std::ptrdiff_t>(nr_free_); }

	std::vector<Task*> tasks_;
	size_t nr_free_ = 0;  // places before the first
};

}  // namespace punctual::sim
