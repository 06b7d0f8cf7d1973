// SPDX-License-Identifier: GPL-2.0-only
// Control groups, version 2. Hybrid machines mount it elsewhere, so the mount point is looked up.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace punctual {

// Where cgroup2 is mounted, e.g. /sys/fs/cgroup. Error (lacking) with the remedy when it is not.
Result<std::filesystem::path> cgroup2_mount();
Result<std::filesystem::path> cgroup2_mount_in(std::string_view mountinfo);  // of given /proc/PID/mountinfo text

// The directory that an operator means by NAME: an absolute path below the mount, a path relative
// to it, or a systemd unit ("vnf.slice", "nginx.service"), found where systemd puts it.
// Error (usage) naming NAME when there is no such cgroup.
Result<std::filesystem::path> find_cgroup(std::string_view name);
Result<std::filesystem::path> find_cgroup_below(const std::filesystem::path& mount, std::string_view name);

// The kernel's id of a cgroup: the inode number of its directory.
Result<uint64_t> cgroup_id(const std::filesystem::path& directory);

// Its directory; nullopt when it was removed. One system call, not a search. Error (lacking) without root.
Result<std::optional<std::filesystem::path>> cgroup_by_id(uint64_t id);

// CPU time that its tasks and those below it have used, in microseconds: usage_usec of cpu.stat.
Result<uint64_t> cgroup_cpu_usage_us(const std::filesystem::path& directory);

// The note of the ScopedCgroup of this name that a killed run left behind. nullopt: there is none, or its owner lives.
std::optional<std::string> note_left_behind(std::string_view name);

// A cgroup made for one run; its processes are killed and the directory removed by the destructor. It has an attribute
// that says whose it is, and is locked while its owner lives: what a killed one left behind can be told.
class ScopedCgroup {
 public:
	// Creates <mount>/NAME with the cpu controller on where the kernel lets us; refuses an existing one, unless a
	// killed run left it behind: that is removed, with what runs in it. The controller stays enabled in the parents
	// afterwards: others may have come to rely on it. `note` is for whoever finds it, if we are killed.
	static Result<ScopedCgroup> create(std::string_view name, std::string_view note = {});
	ScopedCgroup(ScopedCgroup&& other) noexcept : path_(std::move(other.path_)), lock_(std::move(other.lock_))
	{
		other.path_.clear();
	}
	ScopedCgroup& operator=(ScopedCgroup&&) = delete;
	ScopedCgroup(const ScopedCgroup&) = delete;
	ScopedCgroup& operator=(const ScopedCgroup&) = delete;
	~ScopedCgroup();

	const std::filesystem::path& path() const { return path_; }
	Status add(pid_t pid) const;
	Status write(std::string_view file, std::string_view value) const;  // e.g. "cpu.weight", "200"
	Result<uint64_t> cpu_usage_us() const { return cgroup_cpu_usage_us(path_); }

 private:
	ScopedCgroup(std::filesystem::path path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
	std::filesystem::path path_;
	UniqueFd lock_;
};

}  // namespace punctual
