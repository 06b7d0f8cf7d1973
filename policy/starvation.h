/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The net below all other rules: whoever has waited for longer than a second goes first, and is counted. The order of
 * the queues should never let that happen; where tasks are many or a task weighs next to nothing it does by right.
 */
#pragma once

#include "abi/types.h"

constexpr u64 STARVED_NS = 1000ULL * 1000 * 1000;
constexpr u64 STARVED_LOOK_NS = STARVED_NS / 8; /* from one look at the queues of a CPU to the next */

/*
 * How many tasks of a queue are looked at, from each of its ends: first come those that nobody serves, last those that
 * others overtake for ever. One in the middle moves to the front as others are served.
 */
constexpr u32 STARVED_LOOKED_AT_MAX = 16;

static inline bool starved_look_is_due(u64 now_ns, u64 looked_ns)
{
	return now_ns - looked_ns >= STARVED_LOOK_NS;
}

/* Times of several CPUs: a task queued a moment ago may have been so in the future. */
static inline bool is_starved(u64 now_ns, u64 queued_ns)
{
	return (s64)(now_ns - queued_ns) > (s64)STARVED_NS;
}
