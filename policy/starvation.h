/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The net under everything else: a task that has waited too long goes first, and is counted. Weights
 * and credits alone give no bound in time: with many heavy tasks a light one may wait for minutes.
 * A count above 0 means that some rule above failed.
 */
#pragma once

#include "abi/types.h"

constexpr u64 STARVED_NS = 1000ULL * 1000 * 1000;

static inline bool is_starved(u64 now_ns, u64 queued_ns)
{
	return (s64)(now_ns - queued_ns) > (s64)STARVED_NS;
}
