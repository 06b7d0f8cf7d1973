// SPDX-License-Identifier: GPL-2.0-only
#include "scope/partial_plan.h"

#include <sched.h>

#include <gtest/gtest.h>

#include "scope/thread_policy.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

CpuList cpus(std::string_view text)
{
	return CpuList::parse(text).value();
}

// A machine with CPUs 0-3 and whatever partitions a test gives it.
struct PartitionTest : testing::Test {
	PartitionFacts facts{"/cg", cpus("0-3"), {}};
	std::map<fs::path, CgroupFacts> special;

	void cgroup(const fs::path& directory, std::string_view partition, std::string_view effective)
	{
		special[directory] = {directory, std::string(partition), cpus(effective)};
	}
	void slice(const fs::path& directory)
	{
		std::vector<CgroupFacts> chain;
		for (fs::path at = directory; at != facts.mount; at = at.parent_path())
			chain.push_back(special.contains(at) ? special[at] : CgroupFacts{at, "member", cpus("0-3")});
		facts.slices.push_back(chain);
	}
	Error refusal(std::string_view mask) const
	{
		auto plan = plan_partition(cpus(mask), facts);
		EXPECT_FALSE(plan) << mask;
		return plan ? Error{ExitCode::ok, ""} : plan.error();
	}
};

using Paths = std::vector<fs::path>;

TEST_F(PartitionTest, SliceWithoutPartitionGetsItsOwn)
{
	slice("/cg/vnf.slice");
	PartitionPlan plan = plan_partition(cpus("2-3"), facts).value();
	EXPECT_EQ(plan.directory, "/cg/vnf.slice");
	EXPECT_EQ(plan.exclusive, Paths{"/cg/vnf.slice"});
}

TEST_F(PartitionTest, CpusAreHandedDownFromTheTop)
{
	slice("/cg/system.slice/app.service");
	EXPECT_EQ(plan_partition(cpus("3"), facts).value().exclusive,
		  (Paths{"/cg/system.slice", "/cg/system.slice/app.service"}));
	// Below a partition it has them already, and above it nothing may change.
	facts.slices.clear();
	cgroup("/cg/a/b", "root", "2-3");
	slice("/cg/a/b/c/d");
	EXPECT_EQ(plan_partition(cpus("3"), facts).value().exclusive, (Paths{"/cg/a/b/c", "/cg/a/b/c/d"}));
}

TEST_F(PartitionTest, PartitionWithExactlyTheseCpusIsUsedAsItIs)
{
	cgroup("/cg/fast", "isolated", "2-3");
	slice("/cg/fast/a.slice");
	slice("/cg/fast/b.slice");
	PartitionPlan plan = plan_partition(cpus("2-3"), facts).value();
	EXPECT_EQ(plan.directory, "/cg/fast");
	EXPECT_TRUE(plan.exclusive.empty());
}

TEST_F(PartitionTest, PartitionOfOthersIsNeverChanged)
{
	cgroup("/cg/vnf.slice", "root", "2-3");
	slice("/cg/vnf.slice");
	EXPECT_NE(refusal("3").what.find("--cpus 2-3"), std::string::npos);
	facts.slices.clear();
	cgroup("/cg/vnf.slice", "root invalid (some reason)", "0-3");
	slice("/cg/vnf.slice");
	EXPECT_NE(refusal("3").what.find("some reason"), std::string::npos);
}

TEST_F(PartitionTest, SomethingIsLeftToEverythingElse)
{
	slice("/cg/vnf.slice");
	EXPECT_EQ(refusal("0-3").code, ExitCode::usage);
	facts.online = cpus("0");
	EXPECT_EQ(refusal("0").code, ExitCode::lacking);
}

TEST_F(PartitionTest, OfflineCpuIsNoPartOfAPartition)
{
	slice("/cg/vnf.slice");
	facts.online = cpus("0-2");
	EXPECT_NE(refusal("2-3").what.find("CPU 3 is offline"), std::string::npos);
}

TEST_F(PartitionTest, SlicesApartAreToldHowToShareOne)
{
	slice("/cg/a.slice");
	slice("/cg/b.slice");
	Error apart = refusal("3");
	EXPECT_EQ(apart.code, ExitCode::lacking);
	EXPECT_NE(apart.what.find("below one cgroup"), std::string::npos) << apart.what;
	facts.slices.clear();
	slice("/cg/app/a.slice");
	slice("/cg/app/b.slice");
	Error together = refusal("3");
	EXPECT_EQ(together.what.find("below one cgroup"), std::string::npos) << together.what;
	EXPECT_NE(together.what.find("echo 3 > app/cpuset.cpus.exclusive"), std::string::npos) << together.what;
}

TEST_F(PartitionTest, SlicesInPartitionsOfTheirOwnShareNone)
{
	cgroup("/cg/a.slice", "root", "2");
	cgroup("/cg/b.slice", "root", "3");
	slice("/cg/a.slice");
	slice("/cg/b.slice");
	EXPECT_EQ(refusal("2").code, ExitCode::lacking);
}

TEST_F(PartitionTest, SliceBelowAnotherCountsWithIt)
{
	slice("/cg/vnf.slice/deep");
	slice("/cg/vnf.slice");
	slice("/cg/vnf.slice");
	EXPECT_EQ(plan_partition(cpus("3"), facts).value().directory, "/cg/vnf.slice");
}

TEST_F(PartitionTest, RootCgroupIsNoSlice)
{
	slice("/cg");
	EXPECT_EQ(refusal("3").code, ExitCode::usage);
}

TEST(PartitionFault, AnythingElseThanTheseCpusIsOne)
{
	CgroupFacts now{"/cg/vnf.slice", "root", cpus("2-3")};
	EXPECT_EQ(partition_fault(cpus("2-3"), now), "");
	EXPECT_NE(partition_fault(cpus("3"), now), "");
	now.partition = "root invalid (a reason)";
	EXPECT_EQ(partition_fault(cpus("2-3"), now), "root invalid (a reason)");
	now.partition = "";
	EXPECT_NE(partition_fault(cpus("2-3"), now), "");
}

const KnownThreads kKnown = {{10, {10, 500, SCHED_OTHER}}, {11, {11, 501, SCHED_BATCH}}};

TEST(CompareThreads, NothingChangesWhileNobodyMoves)
{
	ThreadChanges changes = compare_threads(kKnown, {{10, kSchedExt}, {11, kSchedExt}});
	EXPECT_TRUE(changes.arrived.empty() && changes.inherited.empty() && changes.left.empty());
}

TEST(CompareThreads, ArrivedForkedAndLeftAreToldApart)
{
	ThreadChanges changes = compare_threads(kKnown, {{10, kSchedExt}, {12, SCHED_IDLE}, {13, kSchedExt}});
	EXPECT_EQ(changes.arrived, (std::vector<SeenThread>{{12, SCHED_IDLE}}));
	EXPECT_EQ(changes.inherited, std::vector<pid_t>{13});
	EXPECT_EQ(changes.left, std::vector<pid_t>{11});
}

TEST(CompareThreads, ThreadThatLostThePolicyGetsItAgain)
{
	// It changed it itself, or its number is another thread's now: what it has counts as what it had before.
	ThreadChanges changes = compare_threads(kKnown, {{10, SCHED_BATCH}, {11, kSchedExt}});
	EXPECT_EQ(changes.arrived, (std::vector<SeenThread>{{10, SCHED_BATCH}}));
	EXPECT_TRUE(changes.left.empty());
}

TEST(CompareThreads, RealTimeIsLeftAlone)
{
	for (int policy : {SCHED_FIFO, SCHED_RR, 6 /* SCHED_DEADLINE */}) {
		ThreadChanges changes = compare_threads(kKnown, {{10, policy}, {11, kSchedExt}});
		EXPECT_TRUE(changes.arrived.empty());
		EXPECT_EQ(changes.real_time, std::vector<pid_t>{10});
		EXPECT_EQ(changes.left, std::vector<pid_t>{10});  // its record is worth nothing now
	}
}

}  // namespace
}  // namespace punctual
