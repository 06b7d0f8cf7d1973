// SPDX-License-Identifier: GPL-2.0-only
// When a wait begins and ends: policy/wait.h.
#include <gtest/gtest.h>

#include "policy/wait.h"

namespace {

// A task, told as a dialogue: each event a microsecond after the one before.
struct Task {
	wait_state wait = {};
	u64 now_ns = 1'000'000;
	u64 nr_switches = 7;
	u64 waited_ns = 0;  // of the last wait that ended

	wait_verdict woken(bool on_cpu = false)
	{
		now_ns += 1000;
		return wait_at_wakeup(&wait, on_cpu, now_ns, nr_switches);
	}
	void created()
	{
		now_ns += 1000;
		wait_at_creation(&wait, now_ns, nr_switches);
	}
	void leaves(bool runnable)
	{
		now_ns += 1000;
		wait_at_switch_out(&wait, runnable, now_ns, ++nr_switches);
	}
	void blocks() { nr_switches++, now_ns += 1000; }  // seen: nothing is done for it
	wait_verdict enters()
	{
		now_ns += 1000;
		const u64 since_ns = wait.since_ns;
		const wait_verdict verdict = wait_at_switch_in(&wait, now_ns, nr_switches);
		waited_ns = verdict == WAIT_ENDED ? now_ns - since_ns : 0;
		return verdict;
	}
};

TEST(Wait, GoesFromTheWakeupToTheSwitchIn)
{
	Task task;
	EXPECT_EQ(task.woken(), WAIT_BEGAN);
	EXPECT_EQ(task.enters(), WAIT_ENDED);
	EXPECT_EQ(task.waited_ns, 1000u);
	EXPECT_EQ(task.wait.kind, WAIT_WAKEUP);
}

TEST(Wait, OfAPreemptedTaskBeginsWhenItLeaves)
{
	Task task;
	task.woken();
	task.enters();
	task.leaves(true);
	EXPECT_EQ(task.wait.kind, WAIT_PREEMPTED);
	EXPECT_EQ(task.enters(), WAIT_ENDED);
	EXPECT_EQ(task.waited_ns, 1000u);
}

TEST(Wait, OfANewTaskHasItsOwnKind)
{
	Task task;
	task.created();
	EXPECT_EQ(task.wait.kind, WAIT_NEW);
	EXPECT_EQ(task.enters(), WAIT_ENDED);
}

TEST(Wait, IsNotRestartedByAWakeupOfAQueuedTask)
{
	Task task;
	task.leaves(true);
	EXPECT_EQ(task.woken(), WAIT_WHILE_QUEUED);
	EXPECT_EQ(task.woken(), WAIT_WHILE_QUEUED);
	EXPECT_EQ(task.enters(), WAIT_ENDED);
	EXPECT_EQ(task.waited_ns, 3000u);
	EXPECT_EQ(task.wait.kind, WAIT_PREEMPTED);
}

TEST(Wait, IsNotBegunByAWakeupOfARunningTask)
{
	Task task;
	task.woken();
	task.enters();
	EXPECT_EQ(task.woken(true), WAIT_WHILE_RUNNING);
	task.blocks();
	EXPECT_EQ(task.woken(), WAIT_BEGAN);
	EXPECT_EQ(task.enters(), WAIT_ENDED);
	EXPECT_EQ(task.waited_ns, 1000u);
}

TEST(Wait, OfATaskWokenWhileItLeavesItsCpuBeginsThere)
{
	Task task;
	task.woken();
	task.enters();
	EXPECT_EQ(task.woken(true), WAIT_WHILE_RUNNING);
	task.blocks();
	EXPECT_EQ(task.enters(), WAIT_ENDED);  // there was no other wakeup
	EXPECT_EQ(task.waited_ns, 2000u);
	EXPECT_EQ(task.wait.kind, WAIT_WAKEUP);
}

TEST(Wait, OfATaskWokenWhileItRanBeginsWhenItIsPreempted)
{
	Task task;
	task.woken(true);
	task.leaves(true);
	EXPECT_EQ(task.enters(), WAIT_ENDED);
	EXPECT_EQ(task.waited_ns, 1000u);
	EXPECT_EQ(task.wait.kind, WAIT_PREEMPTED);
}

TEST(Wait, EndsOnce)
{
	Task task;
	task.woken();
	EXPECT_EQ(task.enters(), WAIT_ENDED);
	EXPECT_EQ(task.enters(), WAIT_UNKNOWN_START);
}

TEST(Wait, BlockingClearsAStampThatWasWrong)
{
	Task task;
	task.woken();  // and it ran, and we were not told
	task.leaves(false);
	EXPECT_EQ(task.woken(), WAIT_BEGAN);
	EXPECT_EQ(task.enters(), WAIT_ENDED);
	EXPECT_EQ(task.waited_ns, 1000u);
}

TEST(Wait, ThatBeganBeforeWeLookedIsNotCounted)
{
	Task task;
	EXPECT_EQ(task.enters(), WAIT_UNKNOWN_START);
}

TEST(Wait, AcrossAnUnseenSwitchIsNotCounted)
{
	Task task;
	task.woken();
	task.nr_switches++;         // it ran and left the CPU unseen
	task.now_ns += 10'000'000;  // slept for long, and was woken unseen
	EXPECT_EQ(task.enters(), WAIT_STALE);
}

TEST(Wait, IsBegunAnewByAWakeupAfterAnUnseenSwitch)
{
	Task task;
	task.woken();
	task.nr_switches++;
	task.now_ns += 10'000'000;
	EXPECT_EQ(task.woken(), WAIT_STALE);
	EXPECT_EQ(task.enters(), WAIT_ENDED);
	EXPECT_EQ(task.waited_ns, 1000u);
}

TEST(Wait, ThatEndsBeforeItBeganIsDiscarded)
{
	Task task;
	task.woken();
	task.now_ns -= 5000;  // the other CPU's clock is behind
	EXPECT_EQ(task.enters(), WAIT_ENDS_TOO_EARLY);
}

TEST(Wait, OverlapIsWhatARunnerTookOfIt)
{
	EXPECT_EQ(wait_overlap_ns(100, 200, 120, 150), 30u);
	EXPECT_EQ(wait_overlap_ns(100, 200, 50, 150), 50u);
	EXPECT_EQ(wait_overlap_ns(100, 200, 150, 250), 50u);
	EXPECT_EQ(wait_overlap_ns(100, 200, 0, 300), 100u);
	EXPECT_EQ(wait_overlap_ns(100, 200, 0, 100), 0u);
	EXPECT_EQ(wait_overlap_ns(100, 200, 200, 300), 0u);
}

TEST(Wait, EventsOfASecondAreBounded)
{
	u64 from_ns = 0, now_ns = 5'000'000'000;
	u32 nr = 0;
	for (u32 i = 0; i < 3; i++)
		EXPECT_TRUE(wait_event_allowed(&from_ns, &nr, now_ns + i, 3));
	EXPECT_FALSE(wait_event_allowed(&from_ns, &nr, now_ns + 999'999'999, 3));
	EXPECT_TRUE(wait_event_allowed(&from_ns, &nr, now_ns + 1'000'000'000, 3));
}

}  // namespace
