/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The floor: a share X of each CPU that normal tasks keep in every window W, whatever the budgets
 * ask. Budgeted running time makes the CPU owe normal time; normal running time pays it back. Once a
 * grain G is owed, normal tasks come first at the next look, and a budgeted task that has run for
 * long comes back a grain later (policy/latency.h). One that wakes up in time is served as ever: so
 * a class that never sleeps pays for the floor alone. Only when all together ask for too much and
 * the debt still grows to HARD grains is a grain kept free of everybody.
 *
 * A window may cut that debt off: X is raised by it, and then holds in any window in which normal
 * tasks wait all the time. Tasks that do not want the CPU save nothing up.
 */
#pragma once

#include "policy/latency.h"

struct floor_tunables {
	u64 grain_ns;
	u64 owed_ns_max; /* a window's share: older debts are void */
	u64 ran_ns_max;  /* a window: longer runs would overflow the product */
	u64 rate;        /* owed per time run with a budget, in 1/1024 */
};

constexpr u32 FLOOR_RATE_SHIFT = 10;
constexpr u32 FLOOR_HARD = 2;
constexpr u32 FLOOR_RAISE = 3 * FLOOR_HARD; /* grains a window: FLOOR_HARD are cut off, the rest goes into switches */

/* percent: X, 1 to 50: with more the first tick may come too late; grain_ns: G, above 0 and below window_ns. */
static inline struct floor_tunables floor_tunables_of(u32 percent, u64 window_ns, u64 grain_ns)
{
	u64 parts = (u64)percent * 1024 / 100 + FLOOR_RAISE * grain_ns * 1024 / window_ns + 1;

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

/* Do normal tasks come first? From when a grain is owed until all is paid, else both would take turns of nothing. */
static inline bool floor_is_due(u64 owed_ns, bool is_paying, const struct floor_tunables* tunables)
{
	return owed_ns >= tunables->grain_ns || (is_paying && owed_ns > 0);
}

/*
 * Does what is owed wait for a task with this key? One that woke up would come soon in any case, at its last safe
 * moment: held up for others' debts until then it would pay for them. Not when HARD grains are owed.
 */
static inline bool floor_waits_for(u64 key, u64 owed_ns, const struct floor_tunables* tunables)
{
	return !is_renewed_key(key) && owed_ns < FLOOR_HARD * tunables->grain_ns;
}

/* Until when the CPU is kept for a normal task that starts now; 0: it is not. */
static inline u64 floor_kept_until_ns(u64 now_ns, u64 owed_ns, const struct floor_tunables* tunables)
{
	return owed_ns >= FLOOR_HARD * tunables->grain_ns ? now_ns + tunables->grain_ns : 0;
}

/* And until when from those that had their bursts: while it is paid, whoever runs for long waits for all of it. */
static inline u64 floor_paid_until_ns(u64 now_ns, u64 owed_ns, bool is_paying, const struct floor_tunables* tunables)
{
	u64 paid_ns_max = FLOOR_HARD * tunables->grain_ns;

	if (!is_paying)
		return 0;
	return now_ns + earlier(owed_ns, paid_ns_max);
}

/*
 * How long a budgeted task may run before the debt must be looked at again: until a grain is owed,
 * or, with more debt than that, half of what a grain pays for, so that the debt falls.
 */
static inline u64 floor_look_ns(u64 owed_ns, const struct floor_tunables* tunables)
{
	u64 earns_ns = owed_ns >= tunables->grain_ns ? tunables->grain_ns / 2 : tunables->grain_ns - owed_ns;

	return (earns_ns << FLOOR_RATE_SHIFT) / tunables->rate + 1;
}
