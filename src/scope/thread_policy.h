// SPDX-License-Identifier: GPL-2.0-only
// The kernel's scheduling policies of threads, ours or not. A thread may end at any moment: that it
// is gone is an answer here, not an error.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"

namespace punctual {

constexpr int kSchedExt = 7;  // SCHED_EXT: like SCHED_OTHER, nice included, but served by a BPF scheduler

// struct sched_attr of the kernel, first version; glibc has none before 2.41.
struct SchedulingAttributes {
	uint32_t size = sizeof(SchedulingAttributes);
	uint32_t policy = 0;
	uint64_t flags = 0;
	int32_t nice = 0;
	uint32_t priority = 0;
	uint64_t runtime_ns = 0;  // EEVDF: the slice asked for; 0: the kernel's default
	uint64_t deadline_ns = 0;
	uint64_t period_ns = 0;
};

// 0 or an errno value. TID 0 is the calling thread.
int get_attributes(pid_t tid, SchedulingAttributes* attributes);
int set_attributes(pid_t tid, const SchedulingAttributes& attributes);

std::optional<int> policy_of(pid_t tid);  // nullopt: gone

// Between the policies SCHED_OTHER, SCHED_BATCH, SCHED_IDLE and SCHED_EXT; nice value, a custom slice
// and SCHED_RESET_ON_FORK stay as they are. A thread that is gone is a success.
Status set_policy(pid_t tid, int policy);

// When it started, in clock ticks since boot: with its number the identity of a thread.
std::optional<uint64_t> start_ticks_of(pid_t tid);

// The process that a thread belongs to, and the one that forked that.
struct Family {
	pid_t process = 0;
	pid_t parent = 0;
};
std::optional<Family> family_of(pid_t tid);

// "42 (name)", for messages.
std::string describe_thread(pid_t tid);

// Every thread of the machine with policy SCHED_EXT.
std::vector<pid_t> ext_threads_of_machine();

}  // namespace punctual
