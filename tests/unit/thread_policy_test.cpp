// SPDX-License-Identifier: GPL-2.0-only
#include "scope/thread_policy.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>

namespace punctual {
namespace {

constexpr pid_t kNobody = 4 << 20;  // above every number that the kernel gives out

// In a thread of its own, whose policy dies with it.
template <typename Body>
void in_thread(Body body)
{
	std::thread(body).join();
}

TEST(ThreadPolicy, NiceAndResetOnForkStay)
{
	in_thread([] {
		const pid_t tid = gettid();
		ASSERT_EQ(setpriority(PRIO_PROCESS, tid, 5), 0);
		const sched_param none = {};
		ASSERT_EQ(sched_setscheduler(tid, SCHED_OTHER | SCHED_RESET_ON_FORK, &none), 0);
		ASSERT_TRUE(set_policy(tid, SCHED_BATCH));
		EXPECT_EQ(policy_of(tid), SCHED_BATCH);
		EXPECT_EQ(getpriority(PRIO_PROCESS, tid), 5);
		EXPECT_EQ(sched_getscheduler(tid), SCHED_BATCH | SCHED_RESET_ON_FORK);
	});
}

TEST(ThreadPolicy, CustomSliceStays)
{
	constexpr uint64_t kSliceNs = 300'000;
	pid_t tid = 0;
	SchedulingAttributes before;
	std::atomic<int> step = 0;
	// Set from a thread with the default slice, as the loader is one.
	std::thread other([&] {
		tid = gettid();
		step = 1;
		step.notify_all();
		step.wait(1);
	});
	step.wait(0);
	SchedulingAttributes wanted;
	wanted.runtime_ns = kSliceNs;
	ASSERT_EQ(set_attributes(tid, wanted), 0);
	ASSERT_EQ(get_attributes(tid, &before), 0);
	SchedulingAttributes after;
	EXPECT_TRUE(set_policy(tid, SCHED_BATCH));
	EXPECT_EQ(get_attributes(tid, &after), 0);
	step = 2;
	step.notify_all();
	other.join();
	if (before.runtime_ns != kSliceNs)
		GTEST_SKIP() << "this kernel has no custom slices (6.12 has)";
	EXPECT_EQ(after.runtime_ns, kSliceNs);
}

TEST(ThreadPolicy, ThreadThatIsGoneIsNoError)
{
	EXPECT_EQ(policy_of(kNobody), std::nullopt);
	EXPECT_EQ(start_ticks_of(kNobody), std::nullopt);
	EXPECT_FALSE(family_of(kNobody));
	EXPECT_TRUE(set_policy(kNobody, SCHED_OTHER));
	EXPECT_NE(describe_thread(kNobody).find("gone"), std::string::npos);
}

TEST(ThreadPolicy, IdentityIsThatOfTheKernel)
{
	EXPECT_EQ(family_of(getpid())->process, getpid());
	EXPECT_EQ(family_of(getpid())->parent, getppid());
	in_thread([] {
		EXPECT_EQ(family_of(gettid())->process, getpid());
		EXPECT_GE(start_ticks_of(gettid()), start_ticks_of(getpid()));
	});
	EXPECT_LE(start_ticks_of(getppid()), start_ticks_of(getpid()));
	EXPECT_GT(start_ticks_of(getpid()).value(), 0U);
}

}  // namespace
}  // namespace punctual
