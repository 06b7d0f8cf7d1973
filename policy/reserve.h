/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The reserve (theta): how long before a deadline the CPU must be taken so that the task runs in
 * time. It differs tenfold between machines (timer and IPI latency, sections without preemption),
 * so it is measured: after each preemption by timer, from the timer's due time until the task runs.
 */
#pragma once

#include "abi/types.h"

/*
 * Follows a high quantile: up by 1/8 after a late arrival, down by 1/4096 after one in time, so it
 * rests where about one arrival in 512 is later: a budget is to hold at p99.9, and not every wakeup needs the timer. By
 * how much later does not count: one interrupt storm must not give the slack of the next thousand wakeups away, as a
 * mean or a maximum would.
 */
constexpr u32 RESERVE_UP_SHIFT = 3;
constexpr u32 RESERVE_DOWN_SHIFT = 12;
constexpr u64 RESERVE_NS_MIN = 1 << RESERVE_DOWN_SHIFT; /* below this the steps down would be 0 */

static inline u64 reserve_after(u64 reserve_ns, u64 late_ns, u64 reserve_ns_max)
{
	if (late_ns > reserve_ns)
		reserve_ns += reserve_ns >> RESERVE_UP_SHIFT;
	else if (reserve_ns > RESERVE_NS_MIN)
		reserve_ns -= reserve_ns >> RESERVE_DOWN_SHIFT;
	return reserve_ns < reserve_ns_max ? reserve_ns : reserve_ns_max;
}

/*
 * After a wakeup that preempted at once for want of slack: nothing was measured, and if the reserve
 * itself ate the slack nothing ever would be. So it falls, slowly, to where it began.
 */
constexpr u32 RESERVE_FADE_SHIFT = 14;

static inline u64 reserve_unmeasured(u64 reserve_ns, u64 initial_ns)
{
	return reserve_ns > initial_ns ? reserve_ns - (reserve_ns >> RESERVE_FADE_SHIFT) : reserve_ns;
}
