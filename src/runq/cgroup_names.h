// SPDX-License-Identifier: GPL-2.0-only
// Names of cgroups by id, kept after the cgroup was removed. Part of runq/, shown to no other folder.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "abi/types.h"

namespace punctual {

struct CgroupName {
	std::string path;  // "/vnf.slice", "/"; "id 4711" when nobody ever told
	bool removed = false;
	std::filesystem::path directory;  // empty when it cannot be looked up, or was removed
};

class CgroupNames {
 public:
	// Learns those that exist now, at most some ten thousand: one may be removed before it is asked for.
	CgroupNames();

	size_t nr_present() const { return nr_present_; }
	void set_paths_map(int fd) { paths_fd_ = fd; }  // "runq_paths": those made since

	const CgroupName& look_up(u64 id);
	void forget(u64 id) { names_.erase(id); }

 private:
	std::filesystem::path mount_;  // empty: no cgroup2 here
	std::map<u64, CgroupName> names_;
	size_t nr_present_ = 0;
	int paths_fd_ = -1;
};

}  // namespace punctual
