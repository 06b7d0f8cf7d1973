// SPDX-License-Identifier: GPL-2.0-only
#include "base/sched_ext_log.h"

#include <gtest/gtest.h>

namespace punctual {
namespace {

TEST(SchedExtLog, FaultIsAnEjection)
{
	const auto end = sched_ext_end_of(
	    "3,812,5123456,-,caller=T93;sched_ext: BPF scheduler \"scx_latency\" disabled (runnable task stall)\n"
	    " SUBSYSTEM=x\n");
	ASSERT_TRUE(end);
	EXPECT_EQ(end->ops, "scx_latency");
	EXPECT_EQ(end->reason, "runnable task stall");
	EXPECT_TRUE(end->is_ejection);
}

TEST(SchedExtLog, OrderlyEndIsNone)
{
	const auto end = sched_ext_end_of(
	    "6,812,5123456,-;sched_ext: BPF scheduler \"scx_latency\" disabled (unregistered from user space)\n");
	ASSERT_TRUE(end);
	EXPECT_EQ(end->reason, "unregistered from user space");
	EXPECT_FALSE(end->is_ejection);
}

TEST(SchedExtLog, OtherRecordsTellNoEnd)
{
	for (const char* record :
	     {"", "6", "3,1,2,-;", "6,812,5123456,-;sched_ext: BPF scheduler \"scx_latency\" enabled\n",
	      "3,1,2,-;sched_ext: scx_latency: runnable task stall (x[1] failed to run for 5.1s)\n",
	      "3,1,2,-;sched_ext: BPF scheduler \"", "3,1,2,-;sched_ext: BPF scheduler \"x\" disabled (",
	      "3,1,2,-;sched_ext: BPF scheduler \") disabled (\n",
	      // What a user wrote into the log.
	      "12,1,2,-;me;sched_ext: BPF scheduler \"scx_latency\" disabled (runtime error)\n"})
		EXPECT_FALSE(sched_ext_end_of(record)) << record;
}

}  // namespace
}  // namespace punctual
