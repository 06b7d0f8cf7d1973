// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "policy/starvation.h"

namespace {

TEST(StarvationNet, BeginsAfterASecond)
{
	EXPECT_FALSE(is_starved(5 * STARVED_NS, 4 * STARVED_NS));
	EXPECT_TRUE(is_starved(5 * STARVED_NS + 1, 4 * STARVED_NS));
}

TEST(StarvationNet, TaskQueuedByAClockAheadOfOursDoesNotStarve)
{
	EXPECT_FALSE(is_starved(1'000, 2'000));  // and not for 584 years
}

TEST(StarvationNet, QueuesAreLookedThroughSeveralTimesInThatSecond)
{
	EXPECT_FALSE(starved_look_is_due(STARVED_LOOK_NS - 1, 0));
	EXPECT_TRUE(starved_look_is_due(STARVED_LOOK_NS, 0));
	EXPECT_LE(4 * STARVED_LOOK_NS, STARVED_NS);
}

}  // namespace
