// SPDX-License-Identifier: GPL-2.0-only
#include "runq/memory_limit.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace punctual {
namespace {

TEST(MemoryLimit, ThatOfAnyCgroupAboveCounts)
{
	const TempDir mount = TempDir::create("memory-limit").value();
	std::filesystem::create_directories(mount.path() / "a.slice/b.service");
	ASSERT_TRUE(replace_file(mount.path() / "a.slice/b.service/memory.max", "max\n"));
	EXPECT_FALSE(memory_limit_above(mount.path(), "/a.slice/b.service"));
	ASSERT_TRUE(replace_file(mount.path() / "a.slice/memory.max", "1048576\n"));
	EXPECT_EQ(memory_limit_above(mount.path(), "/a.slice/b.service"), mount.path() / "a.slice");
	EXPECT_FALSE(memory_limit_above(mount.path(), "/"));
}

TEST(MemoryLimit, KernelsFrom6Dot4OnTakeMemoryElsewhere)
{
	EXPECT_TRUE(hangs_at_memory_limit("6.1.0-47-cloud-amd64"));
	EXPECT_TRUE(hangs_at_memory_limit("5.15.1"));
	EXPECT_FALSE(hangs_at_memory_limit("6.4.0"));
	EXPECT_FALSE(hangs_at_memory_limit("6.18.15+deb13-cloud-amd64"));
	EXPECT_FALSE(hangs_at_memory_limit("7.0"));
}

}  // namespace
}  // namespace punctual
