// SPDX-License-Identifier: GPL-2.0-only
// Budgets by extended attribute: `setfattr -n user.latency_ns -v 60000 /sys/fs/cgroup/vnf.slice`. The
// kernel tells nobody about a change, so a loop looks. The scan looks, judge_attributes decides, and the
// command acts. A budget that was given by flag, file or command wins over the attribute.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/fd.h"
#include "scope/cgroup_walk.h"

namespace punctual {

// As found. Who may write to a cgroup's directory may set it, so only root's count: else a user with a
// delegated cgroup could take any CPU.
struct LatencyAttribute {
	uint64_t cgroup_id = 0;
	std::string value;
	bool is_roots = true;
};
using LatencyAttributes = std::map<std::string, LatencyAttribute>;  // by directory

struct AttributeVerdict {
	enum Kind : uint8_t { set, clear, nothing } kind = nothing;
	Budget budget;           // of set: from an attribute, without a cap
	uint64_t cgroup_id = 0;  // of clear
	std::string directory;   // of set and nothing
	std::string line;        // of set and nothing: what happens and why; the same as long as nothing changes
};

// What follows from the attributes that stand and the budgets in the kernel. An attribute that already
// has its way gives no verdict; one that cannot have it gives `nothing`, again at each call.
std::vector<AttributeVerdict> judge_attributes(const LatencyAttributes& attributes, std::span<const BudgetRow> rows);

// Looks at all cgroups (kCgroupsMax at most), and finds new ones on the side, within about two seconds where
// there are hundreds. Each step looks at all that are held open, at about 1 us each; what is beyond
// kHeldMax costs 5 to 10 us to find by its path, and so kByPathMax of them take their turn in a step.
class AttributeScan {
 public:
	static constexpr size_t kHeldMax = 600;  // of the 1024 descriptors that a process has by default
	static constexpr size_t kByPathMax = 200;

	// Finds all cgroups that there are now.
	explicit AttributeScan(std::filesystem::path mount);

	const LatencyAttributes& step();

 private:
	struct Known {
		FoundCgroup cgroup;
		UniqueFd held;
	};
	void find_some();
	void end_walk();
	void look_at(const Known& known);

	std::filesystem::path mount_;
	CgroupWalk walk_;
	std::vector<FoundCgroup> found_;  // of the walk under way
	std::vector<Known> known_;        // of the last complete one: first those that are held
	size_t nr_held_ = 0;
	size_t next_by_path_ = 0;
	std::chrono::steady_clock::time_point walk_again_at_;
	LatencyAttributes attributes_;
};

}  // namespace punctual
