/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The floor: a share X of each CPU that normal tasks keep in every window W, whatever the budgets
 * ask. Budgeted running time makes the CPU owe normal time; normal running time pays it back. Once a
 * grain G is owed, normal tasks go first for a grain, in which nobody preempts them. So a class that
 * never sleeps slows itself, and another class waits a grain longer at most.
 *
 * A window may cut one grain off: X is raised by G/W, and then holds in any window in which normal
 * tasks wait all the time. Tasks that do not want the CPU save nothing up.
 */
#pragma once

#include "abi/types.h"

struct floor_tunables {
	u64 grain_ns;
	u64 owed_ns_max; /* a window's share: older debts are void */
	u64 ran_ns_max;  /* a window: longer runs would overflow the product */
	u64 rate;        /* owed per time run with a budget, in 1/1024 */
};

constexpr u32 FLOOR_RATE_SHIFT = 10;

/* percent: X, 1 to 50: with more the first tick may come too late; grain_ns: G, above 0 and below window_ns. */
static inline struct floor_tunables floor_tunables_of(u32 percent, u64 window_ns, u64 grain_ns)
{
	u64 parts = (u64)percent * 1024 / 100 + grain_ns * 1024 / window_ns + 1;

	if (parts > 1000)
		parts = 1000;
	return (struct floor_tunables){grain_ns, window_ns * parts / 1024, window_ns, parts * 1024 / (1024 - parts)};
}

static inline u64 floor_after_budgeted(u64 owed_ns, u64 ran_ns, const struct floor_tunables* tunables)
{
	if (ran_ns > tunables->ran_ns_max)
		ran_ns = tunables->ran_ns_max;
	owed_ns += ran_ns * tunables->rate >> FLOOR_RATE_SHIFT;
	return owed_ns < tunables->owed_ns_max ? owed_ns : tunables->owed_ns_max;
}

static inline u64 floor_after_normal(u64 owed_ns, u64 ran_ns)
{
	return owed_ns > ran_ns ? owed_ns - ran_ns : 0;
}

static inline bool floor_is_due(u64 owed_ns, const struct floor_tunables* tunables)
{
	return owed_ns >= tunables->grain_ns;
}

/*
 * How long a budgeted task may run before the debt must be looked at again: until a grain is owed,
 * or, with more debt than that, half of what a grain pays for, so that the debt falls.
 */
static inline u64 floor_look_ns(u64 owed_ns, const struct floor_tunables* tunables)
{
	u64 earns_ns = floor_is_due(owed_ns, tunables) ? tunables->grain_ns / 2 : tunables->grain_ns - owed_ns;

	return (earns_ns << FLOOR_RATE_SHIFT) / tunables->rate + 1;
}
