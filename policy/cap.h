/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The cap of a class: the CPU time Q that it may use with its budget honoured in a period P. Beyond
 * that its tasks are served as normal ones until the period ends: a class that runs away harms
 * itself. What it used too much (a task is charged when it leaves the CPU, or at the tick) counts
 * against the next period, but not the one after.
 */
#pragma once

#include "abi/types.h"

struct cap_account {
	u64 period_at_ns; /* when the period began */
	u64 used_ns;
};

/* The account once time has come to now_ns. quota_ns is Q, of one CPU or of several: it may exceed P. */
static inline struct cap_account cap_at(struct cap_account account, u64 now_ns, u64 quota_ns, u64 period_ns)
{
	u64 elapsed_ns = now_ns - account.period_at_ns;

	if ((s64)elapsed_ns < (s64)period_ns)
		return account; /* also when another CPU's clock is a little behind */
	account.used_ns = account.used_ns > quota_ns ? account.used_ns - quota_ns : 0;
	if (account.used_ns > quota_ns)
		account.used_ns = quota_ns;
	if (elapsed_ns >= 2 * period_ns)
		account.used_ns = 0;
	account.period_at_ns += elapsed_ns - elapsed_ns % period_ns;
	return account;
}

static inline bool over_cap(struct cap_account account, u64 quota_ns)
{
	return account.used_ns >= quota_ns;
}
