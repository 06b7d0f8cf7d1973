// SPDX-License-Identifier: GPL-2.0-only
// What partial mode (--only) decides, as pure functions of what was read: which cpuset partition it
// needs, and which threads have to change their policy.
//
// Why a partition: the kernel ranks its fair class above sched_ext, so on a CPU that both use a
// SCHED_EXT thread gets nothing (5 % from 7.0 on). A partition keeps everything else off its CPUs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/cpu_list.h"
#include "base/result.h"

namespace punctual {

// One cgroup as its cpuset files say.
struct CgroupFacts {
	std::filesystem::path directory;
	std::string partition;  // cpuset.cpus.partition; empty without the cpuset controller
	CpuList cpus;           // cpuset.cpus.effective

	bool is_partition() const { return partition == "root" || partition == "isolated"; }
};

struct PartitionFacts {
	std::filesystem::path mount;
	CpuList online;
	std::vector<std::vector<CgroupFacts>> slices;  // for each slice: itself and its ancestors below the mount
};

struct PartitionPlan {
	std::filesystem::path directory;  // the cgroup that is, or is to become, the partition
	// Empty when it is one. Else those that must first be given the CPUs exclusively, from the top down,
	// the last being `directory`. cpuset.cpus would be no way: it cannot be emptied again while tasks run.
	std::vector<std::filesystem::path> exclusive;
};

// Errors (usage, lacking) say what to do: a trap is never set up.
Result<PartitionPlan> plan_partition(const CpuList& cpus, const PartitionFacts& facts);

// "" while the partition keeps what it promised, else the reason, e.g. "root invalid (...)".
std::string partition_fault(const CpuList& cpus, const CgroupFacts& now);

// A thread that was given SCHED_EXT, and what it had before.
struct KnownThread {
	pid_t tid = 0;
	uint64_t start_ticks = 0;
	int policy = 0;  // SCHED_OTHER, SCHED_BATCH or SCHED_IDLE
	bool operator==(const KnownThread&) const = default;
};
using KnownThreads = std::map<pid_t, KnownThread>;

struct SeenThread {
	pid_t tid = 0;
	int policy = 0;
	bool operator==(const SeenThread&) const = default;
};

struct ThreadChanges {
	std::vector<SeenThread> arrived;  // on the kernel's own scheduler: to be given SCHED_EXT
	std::vector<pid_t> inherited;     // forked by one of ours: has it already
	std::vector<pid_t> left;          // is elsewhere, or has ended: gets its policy back
	std::vector<pid_t> real_time;     // SCHED_FIFO, SCHED_RR, SCHED_DEADLINE: left alone
};

// `seen`: the threads that are in the slices now.
ThreadChanges compare_threads(const KnownThreads& known, const std::vector<SeenThread>& seen);

}  // namespace punctual
