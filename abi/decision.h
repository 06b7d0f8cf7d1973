/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Recorded decisions: what a scheduler asked policy/ and what it was answered. As they come from the ring buffer
 * "decisions", so they stand in the file of `punctual run --record-decisions`: a decision_file_head, then whole
 * records. Each life of the scheduler ends with a decision_end; a file without one at its end was cut off.
 * policy/decision.h has the other records. Little endian.
 */
#pragma once

#include "abi/types.h"

/* Raise it when a record changes, or what one of its facts means: older recordings are then refused. */
constexpr u32 DECISION_VERSION = 4;
#define DECISION_MAGIC "PUNCDEC"

enum decision_kind : u16 {
	DECISION_END, /* a decision_end */
	DECISION_PLACE,
	/* A look_record each; the second fact is a deadline or the key of a queue, or how long until the retry. */
	DECISION_MAY_PREEMPT,
	DECISION_LOOK_AGAIN,
	DECISION_LOOK_AT_START,
	DECISION_MAY_RUN_UNTIL,
	DECISION_RETRY_LOOK,
	/* A number_record each, with these facts: */
	DECISION_RESUME,               /* those of resume_facts, in their order */
	DECISION_RESERVE_AFTER,        /* reserve_ns, late_ns, reserve_ns_max */
	DECISION_FLOOR_AFTER_BUDGETED, /* owed_ns, ran_ns, owed_ns_max, ran_ns_max, rate */
	DECISION_FLOOR_AFTER_NORMAL,   /* owed_ns, ran_ns */
	DECISION_FLOOR_IS_DUE,         /* owed_ns, is_paying, grain_ns */
	DECISION_FLOOR_WAITS_FOR,      /* key, owed_ns, grain_ns */
	DECISION_CAP_AT,               /* period_at_ns, used_ns, now_ns, quota_ns, period_ns; answers with an account */
	DECISION_OVER_CAP,             /* period_at_ns, used_ns, quota_ns */
	DECISION_VTIME_ON_JOIN,        /* vtime, clock, credit_ns_max, debt_ns_max */
	DECISION_SAFE_FOR_BOTH,        /* now_ns, key, other_key, reserve_ns, burst_ns, kept_until_ns */
	DECISION_MAY_GATHER,           /* from_ns, key, several_wait, reserve_ns, slack_ns_min, burst_ns */
	DECISION_MAY_GO_ON,            /* now_ns, ran_ns, key */
	DECISION_KINDS,
};

struct decision_file_head {
	char magic[8];
	u32 version;
	u32 pad;
	char kernel[64]; /* release of the kernel that decided; ends with a 0 */
};
static_assert(sizeof(struct decision_file_head) == 80, "the layout of recordings: raise DECISION_VERSION");

struct decision_head {
	u64 time_ns;
	u32 cpu; /* on which it was decided */
	enum decision_kind kind;
	u16 bytes; /* of the whole record: a multiple of 8 */
};
static_assert(sizeof(struct decision_head) == 16, "the layout of recordings: raise DECISION_VERSION");

struct decision_end {
	struct decision_head head;
	u64 nr_lost;     /* the ring buffer was full */
	u64 nr_left_out; /* the file had reached its bound */
};
static_assert(sizeof(struct decision_end) == 32, "the layout of recordings: raise DECISION_VERSION");
