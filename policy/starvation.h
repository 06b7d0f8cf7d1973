/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The net under fairness: a budgeted class that never sleeps must not keep normal tasks off a CPU
 * until the kernel's watchdog ejects the scheduler.
 */
#pragma once

#include "abi/types.h"

/* Do normal tasks go first this time? For one turn, when the CPU has run none for wait_ns_max. */
static inline bool normal_goes_first(u64 now_ns, u64 normal_ran_ns, u64 wait_ns_max)
{
	return (s64)(now_ns - normal_ran_ns) > (s64)wait_ns_max;
}
