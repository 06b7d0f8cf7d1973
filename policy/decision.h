/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Decisions as records: all facts that a function of this folder was given, and its answer. Whoever has the record
 * can ask the function again. abi/decision.h has the kinds. A change of facts changes the layout: then raise
 * DECISION_VERSION there, and `make recording`.
 */
#pragma once

#include "abi/decision.h"
#include "policy/latency.h"

/* place_task() */
struct place_record {
	struct decision_head head;
	struct place_facts facts;
	struct latency_tunables tunables;
	struct place_decision decision;
};
static_assert(sizeof(struct place_record) == 176, "the layout of recordings: raise DECISION_VERSION");

/* Questions about what runs on a CPU: may it be preempted, or when to look. */
struct look_record {
	struct decision_head head;
	u64 now_ns;
	u64 about_ns; /* see enum decision_kind */
	struct running_facts running;
	struct latency_tunables tunables;
	u64 answer;
};
static_assert(sizeof(struct look_record) == 128, "the layout of recordings: raise DECISION_VERSION");

static inline u64 look_answer(const struct look_record* asked, enum decision_kind kind)
{
	switch (kind) {
	case DECISION_MAY_PREEMPT:
		return may_preempt(&asked->running, asked->now_ns, asked->about_ns, &asked->tunables);
	case DECISION_LOOK_AGAIN:
		return look_again_ns(asked->now_ns, asked->about_ns, &asked->running, &asked->tunables);
	case DECISION_LOOK_AT_START:
		return look_at_start_ns(asked->now_ns, asked->about_ns, &asked->running, &asked->tunables);
	case DECISION_MAY_RUN_UNTIL:
		return may_run_until_ns(asked->now_ns, asked->about_ns, &asked->running, &asked->tunables);
	default: /* DECISION_RETRY_LOOK */
		return retry_look_ns(asked->now_ns, &asked->running, asked->about_ns, &asked->tunables);
	}
}

/* Questions whose facts are a few numbers; enum decision_kind names them. What is not used is 0. */
constexpr u32 DECISION_FACTS_MAX = 6;
constexpr u32 DECISION_ANSWERS_MAX = 2;

struct number_record {
	struct decision_head head;
	u64 facts[DECISION_FACTS_MAX];
	u64 answers[DECISION_ANSWERS_MAX];
};
static_assert(sizeof(struct number_record) == 80, "the layout of recordings: raise DECISION_VERSION");
