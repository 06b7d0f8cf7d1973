// SPDX-License-Identifier: GPL-2.0-only
#include "scope/partial_plan.h"

#include <sched.h>

#include <algorithm>
#include <set>

#include "scope/thread_policy.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;
using Chain = std::vector<CgroupFacts>;

constexpr std::string_view kWhy = "on CPUs that other tasks use, SCHED_EXT tasks starve beside them";

bool same(const CpuList& a, const CpuList& b)
{
	return a.cpus() == b.cpus();
}

// What an operator types to make one of a topmost cgroup himself.
std::string recipe(const fs::path& directory, const CpuList& cpus)
{
	return fmt::format(
	    "cd {}; echo +cpuset > cgroup.subtree_control; echo {} > {}/cpuset.cpus.exclusive; "
	    "echo root > {}/cpuset.cpus.partition",
	    directory.parent_path().native(), cpus.text(), directory.filename().native(),
	    directory.filename().native());
}

Status check_cpus(const CpuList& cpus, const CpuList& online)
{
	if (online.size() == 1)
		return fail(ExitCode::lacking,
			    "--only takes a CPU for itself, and this machine has one: {}; leave --only out", kWhy);
	for (int cpu : cpus.cpus())
		if (!online.contains(cpu))
			return fail(ExitCode::usage, "--cpus {}: CPU {} is offline, and --only takes whole CPUs",
				    cpus.text(), cpu);
	if (same(cpus, online))
		return fail(ExitCode::usage,
			    "--cpus {}: these are all CPUs; --only must leave one to everything else, because {}",
			    cpus.text(), kWhy);
	return {};
}

const CgroupFacts* nearest_partition(const Chain& chain)
{
	auto found = std::ranges::find_if(chain, &CgroupFacts::is_partition);
	return found == chain.end() ? nullptr : &*found;
}

bool is_ancestor(const fs::path& directory, const Chain& chain)
{
	return std::any_of(chain.begin() + 1, chain.end(),
			   [&](const CgroupFacts& above) { return above.directory == directory; });
}

// The slices that lie below no other one; each once.
std::vector<const Chain*> topmost(const std::vector<Chain>& slices)
{
	std::vector<const Chain*> tops;
	std::set<fs::path> seen;
	for (const Chain& chain : slices) {
		bool is_below = std::ranges::any_of(
		    slices, [&](const Chain& other) { return is_ancestor(other.front().directory, chain); });
		if (!is_below && seen.insert(chain.front().directory).second)
			tops.push_back(&chain);
	}
	return tops;
}

// The partition that holds all slices, if it is one and the same.
const CgroupFacts* common_partition(const std::vector<const Chain*>& tops)
{
	const CgroupFacts* common = nearest_partition(*tops.front());
	for (const Chain* chain : tops) {
		const CgroupFacts* own = nearest_partition(*chain);
		if (!own || !common || own->directory != common->directory)
			return nullptr;
	}
	return common;
}

Result<PartitionPlan> plan_own(const Chain& slice)
{
	const CgroupFacts& self = slice.front();
	if (self.is_partition())
		return fail(ExitCode::usage,
			    "{} is a cpuset partition of CPUs {}: give --cpus {}, or change the partition",
			    self.directory.native(), self.cpus.text(), self.cpus.text());
	if (!self.partition.empty() && self.partition != "member")
		return fail(ExitCode::lacking, "{} is no valid cpuset partition ({}): put that right first",
			    self.directory.native(), self.partition);
	PartitionPlan plan{self.directory, {}};
	for (const CgroupFacts& cgroup : slice) {
		if (cgroup.is_partition())
			break;  // it has its CPUs for itself already, and hands some on
		plan.exclusive.insert(plan.exclusive.begin(), cgroup.directory);
	}
	return plan;
}

}  // namespace

Result<PartitionPlan> plan_partition(const CpuList& cpus, const PartitionFacts& facts)
{
	TRY(check_cpus(cpus, facts.online));
	for (const Chain& chain : facts.slices)
		if (chain.empty())
			return fail(ExitCode::usage, "--only cannot take the root cgroup {}: name a slice below it",
				    facts.mount.native());
	std::vector<const Chain*> tops = topmost(facts.slices);
	if (tops.empty())
		return fail(ExitCode::usage, "--only needs a slice: --slice vnf.slice=60us");
	if (const CgroupFacts* common = common_partition(tops); common && same(common->cpus, cpus))
		return PartitionPlan{common->directory, {}};
	if (tops.size() == 1)
		return plan_own(*tops.front());
	const fs::path& first = tops[0]->front().directory;
	const fs::path& second = tops[1]->front().directory;
	bool share_top = tops[0]->back().directory == tops[1]->back().directory;
	fs::path parent = share_top ? tops[0]->back().directory : facts.mount / "latency.slice";
	return fail(ExitCode::lacking,
		    "--only needs one cpuset partition of CPUs {} around all slices, and {} and {} are in none: {}{}",
		    cpus.text(), first.native(), second.native(),
		    share_top ? "" : fmt::format("move them below one cgroup, e.g. {}, then ", parent.native()),
		    recipe(parent, cpus));
}

std::string partition_fault(const CpuList& cpus, const CgroupFacts& now)
{
	if (!now.is_partition())
		return now.partition.empty() ? "it is gone" : now.partition;
	if (!same(now.cpus, cpus))
		return fmt::format("its CPUs are {} now", now.cpus.empty() ? "none" : now.cpus.text());
	return "";
}

ThreadChanges compare_threads(const KnownThreads& known, const std::vector<SeenThread>& seen)
{
	ThreadChanges changes;
	std::set<pid_t> present;
	for (const SeenThread& thread : seen) {
		switch (thread.policy) {
		case kSchedExt:
			if (!known.contains(thread.tid))
				changes.inherited.push_back(thread.tid);
			present.insert(thread.tid);
			break;
		case SCHED_OTHER:
		case SCHED_BATCH:
		case SCHED_IDLE:
			// A known one changed it itself, or its number is another thread's now.
			changes.arrived.push_back(thread);
			present.insert(thread.tid);
			break;
		default:
			changes.real_time.push_back(thread.tid);
		}
	}
	for (const auto& [tid, unused] : known)
		if (!present.contains(tid))
			changes.left.push_back(tid);
	return changes;
}

}  // namespace punctual
