// SPDX-License-Identifier: GPL-2.0-only
#include "scope/cgroup_walk.h"

#include <gtest/gtest.h>

#include <set>

#include "base/cgroup.h"
#include "base/file.h"
#include "scope/cpu_max.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

// A directory tree stands in for cgroups: the walk needs nothing else of them.
class CgroupTree : public ::testing::Test {
 protected:
	fs::path cgroup(const std::string& path) const
	{
		fs::create_directories(folder_.path() / path);
		return folder_.path() / path;
	}
	void limit(const std::string& path, const std::string& cpu_max) const
	{
		ASSERT_TRUE(replace_file(cgroup(path) / "cpu.max", cpu_max));
	}

	TempDir folder_ = TempDir::create("cgroups").value();
};

TEST_F(CgroupTree, WalkSeesEachOnceAndParentsFirst)
{
	for (const char* path : {"a/b/c", "a/d", "e"})
		cgroup(path);
	CgroupWalk walk(folder_.path());
	std::set<std::string> seen;
	while (auto cgroup = walk.next()) {
		const fs::path directory = cgroup->directory;
		EXPECT_EQ(cgroup->id, cgroup_id(directory).value());
		EXPECT_TRUE(seen.empty() || seen.contains(directory.parent_path())) << directory;
		EXPECT_TRUE(seen.insert(directory).second) << directory;
	}
	EXPECT_EQ(seen.size(), 6U);  // with the top itself
}

TEST_F(CgroupTree, WalkOutlivesWhatIsRemovedMeanwhile)
{
	cgroup("a/b");
	CgroupWalk walk(folder_.path());
	ASSERT_TRUE(walk.next());
	fs::remove_all(folder_.path() / "a");
	EXPECT_EQ(walk.next()->id, 0U);  // known by then
	EXPECT_FALSE(walk.next());
}

TEST_F(CgroupTree, LimitsOfTheCpuAreCounted)
{
	limit("free.slice", "max 100000\n");
	cgroup("no-controller");
	EXPECT_EQ(find_cpu_max(folder_.path()).first, "");
	limit("batch.slice/one", "50000 100000\n");
	limit("batch.slice/two", "10000 100000\n");
	const CpuMaxLimits limits = find_cpu_max(folder_.path());
	EXPECT_TRUE(limits.first == "batch.slice/one" || limits.first == "batch.slice/two");
	EXPECT_EQ(limits.others, 1U);
}

}  // namespace
}  // namespace punctual
