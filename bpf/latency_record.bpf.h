/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decisions of scx_latency, and their recording: decide_X() asks policy/ for X, and with `punctual run
 * --record-decisions` writes down what was asked and answered, so that the same policy compiled elsewhere can be
 * asked again (src/sim/replay.h). Part of scx_latency.bpf.c, which explains the whole.
 *
 * Without recording the kernel's verifier knows that record_decisions is false and removes all that is behind it:
 * two instructions a decision are left. What is behind it is one call with a record made on the spot. Were it more,
 * the compiler would no longer inline the functions around; were it a pointer to facts instead of a copy, these would
 * have to be in memory.
 *
 * Where facts can be changed by another CPU meanwhile, the question is asked about the copy.
 */
#pragma once

#include "bpf/scx.bpf.h"
#include "abi/decision.h"
#include "policy/cap.h"
#include "policy/decision.h"
#include "policy/floor.h"
#include "policy/latency.h"
#include "policy/reserve.h"
#include "policy/resume.h"
#include "policy/vtime.h"

const volatile bool record_decisions = false; /* set by the loader, which then also sizes the ring buffer */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* the least there is; libbpf makes a page of it */
} decisions SEC(".maps");

u64 nr_decisions_lost SEC(".data.decisions"); /* for want of room in the ring buffer */

static inline struct decision_head head_of(enum decision_kind kind, u32 bytes)
{
	return (struct decision_head){scx_bpf_now(), bpf_get_smp_processor_id(), kind, bytes};
}

/* The reader comes by itself: waking it from under a run-queue lock would be a decision of its own. */
static __noinline void put_record(struct decision_head* head, enum decision_kind kind, u32 bytes)
{
	*head = head_of(kind, bytes);
	if (bpf_ringbuf_output(&decisions, head, bytes, BPF_RB_NO_WAKEUP))
		__sync_fetch_and_add(&nr_decisions_lost, 1);
}

/* RECORD(kind, answer, facts...) */
#define RECORD(kind, answer, ...)                                                                    \
	({                                                                                           \
		if (record_decisions) {                                                              \
			struct number_record record = {.facts = {__VA_ARGS__}, .answers = {answer}}; \
			put_record(&record.head, kind, sizeof(record));                              \
		}                                                                                    \
	})

/* ---- policy/latency.h ---- */

static __always_inline struct place_decision decide_place(const struct place_facts* facts,
							  const struct latency_tunables* tunables)
{
	struct place_decision decision = place_task(facts, tunables);

	if (record_decisions) { /* written where it belongs: there is no room for it on the stack */
		struct place_record* record = bpf_ringbuf_reserve(&decisions, sizeof(*record), 0);

		if (record) {
			*record = (struct place_record){head_of(DECISION_PLACE, sizeof(*record)), *facts, *tunables,
							decision};
			bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
		} else {
			__sync_fetch_and_add(&nr_decisions_lost, 1);
		}
	}
	return decision;
}

static __noinline u64 answer_recorded(struct look_record* record, enum decision_kind kind)
{
	record->answer = look_answer(record, kind);
	put_record(&record->head, kind, sizeof(*record));
	return record->answer;
}

/* LOOK(kind, plain question, now_ns, about_ns, running, tunables) */
#define LOOK(kind, plain, now_ns_, about_ns_, running_, tunables_)              \
	({                                                                      \
		u64 answer;                                                     \
		if (record_decisions) {                                         \
			struct look_record record = {.now_ns = (now_ns_),       \
						     .about_ns = (about_ns_),   \
						     .running = *(running_),    \
						     .tunables = *(tunables_)}; \
			answer = answer_recorded(&record, kind);                \
		} else {                                                        \
			answer = (plain);                                       \
		}                                                               \
		answer;                                                         \
	})

static __always_inline bool decide_may_preempt(const struct running_facts* running, u64 now_ns, u64 key,
					       const struct latency_tunables* tunables)
{
	return LOOK(DECISION_MAY_PREEMPT, may_preempt(running, now_ns, key, tunables), now_ns, key, running, tunables);
}

static __always_inline u64 decide_look_again_ns(u64 now_ns, u64 key, const struct running_facts* running,
						const struct latency_tunables* tunables)
{
	return LOOK(DECISION_LOOK_AGAIN, look_again_ns(now_ns, key, running, tunables), now_ns, key, running, tunables);
}

static __always_inline u64 decide_look_at_start_ns(u64 now_ns, u64 waiting_key, const struct running_facts* running,
						   const struct latency_tunables* tunables)
{
	return LOOK(DECISION_LOOK_AT_START, look_at_start_ns(now_ns, waiting_key, running, tunables), now_ns,
		    waiting_key, running, tunables);
}

static __always_inline u64 decide_may_run_until_ns(u64 now_ns, u64 waiting_key, const struct running_facts* running,
						   const struct latency_tunables* tunables)
{
	return LOOK(DECISION_MAY_RUN_UNTIL, may_run_until_ns(now_ns, waiting_key, running, tunables), now_ns,
		    waiting_key, running, tunables);
}

static __always_inline u64 decide_retry_look_ns(u64 now_ns, const struct running_facts* running, u64 retry_ns,
						const struct latency_tunables* tunables)
{
	return LOOK(DECISION_RETRY_LOOK, retry_look_ns(now_ns, running, retry_ns, tunables), now_ns, retry_ns, running,
		    tunables);
}

static __always_inline u64 decide_safe_for_both_ns(u64 now_ns, u64 key, u64 other_key, u64 reserve_ns, u64 burst_ns,
						   u64 kept_until_ns)
{
	u64 answer = safe_for_both_ns(now_ns, key, other_key, reserve_ns, burst_ns, kept_until_ns);

	RECORD(DECISION_SAFE_FOR_BOTH, answer, now_ns, key, other_key, reserve_ns, burst_ns, kept_until_ns);
	return answer;
}

static __always_inline bool decide_may_gather(u64 from_ns, u64 key, bool several_wait,
					      const struct latency_tunables* tunables)
{
	bool answer = may_gather(from_ns, key, several_wait, tunables);

	RECORD(DECISION_MAY_GATHER, answer, from_ns, key, several_wait, tunables->reserve_ns, tunables->slack_ns_min,
	       tunables->burst_ns);
	return answer;
}

static __always_inline bool decide_may_go_on(u64 now_ns, u64 ran_ns, u64 key)
{
	bool answer = may_go_on(now_ns, ran_ns, key);

	RECORD(DECISION_MAY_GO_ON, answer, now_ns, ran_ns, key);
	return answer;
}

/* ---- the other headers of policy/ ---- */

static __always_inline u64 decide_resume_ns(const struct resume_facts* facts)
{
	u64 answer = resume_ns(facts);

	RECORD(DECISION_RESUME, answer, facts->turn_ran_ns, facts->turn_ns, facts->turn_ns_min, facts->in_turn,
	       facts->pinned, facts->others_first);
	return answer;
}

static __always_inline u64 decide_reserve_after(u64 reserve_ns, u64 late_ns, u64 reserve_ns_max)
{
	u64 answer = reserve_after(reserve_ns, late_ns, reserve_ns_max);

	RECORD(DECISION_RESERVE_AFTER, answer, reserve_ns, late_ns, reserve_ns_max);
	return answer;
}

static __always_inline u64 decide_floor_after_budgeted(u64 owed_ns, u64 ran_ns, const struct floor_tunables* tunables)
{
	u64 answer = floor_after_budgeted(owed_ns, ran_ns, tunables);

	RECORD(DECISION_FLOOR_AFTER_BUDGETED, answer, owed_ns, ran_ns, tunables->owed_ns_max, tunables->ran_ns_max,
	       tunables->rate);
	return answer;
}

static __always_inline u64 decide_floor_after_normal(u64 owed_ns, u64 ran_ns)
{
	u64 answer = floor_after_normal(owed_ns, ran_ns);

	RECORD(DECISION_FLOOR_AFTER_NORMAL, answer, owed_ns, ran_ns);
	return answer;
}

static __always_inline bool decide_floor_is_due(u64 owed_ns, bool is_paying, const struct floor_tunables* tunables)
{
	bool answer = floor_is_due(owed_ns, is_paying, tunables);

	RECORD(DECISION_FLOOR_IS_DUE, answer, owed_ns, is_paying, tunables->grain_ns);
	return answer;
}

static __always_inline bool decide_floor_waits_for(u64 key, u64 owed_ns, const struct floor_tunables* tunables)
{
	bool answer = floor_waits_for(key, owed_ns, tunables);

	RECORD(DECISION_FLOOR_WAITS_FOR, answer, key, owed_ns, tunables->grain_ns);
	return answer;
}

static __always_inline struct cap_account decide_cap_at(struct cap_account account, u64 now_ns, u64 quota_ns,
							u64 period_ns)
{
	struct cap_account answer = cap_at(account, now_ns, quota_ns, period_ns);

	if (record_decisions) {
		struct number_record record = {
		    .facts = {account.period_at_ns, account.used_ns, now_ns, quota_ns, period_ns},
		    .answers = {answer.period_at_ns, answer.used_ns}};

		put_record(&record.head, DECISION_CAP_AT, sizeof(record));
	}
	return answer;
}

static __always_inline bool decide_over_cap(struct cap_account account, u64 quota_ns)
{
	bool answer = over_cap(account, quota_ns);

	RECORD(DECISION_OVER_CAP, answer, account.period_at_ns, account.used_ns, quota_ns);
	return answer;
}

static __always_inline u64 decide_vtime_on_join(u64 vtime, u64 clock, const struct vtime_limits* limits)
{
	u64 answer = vtime_on_join(vtime, clock, limits);

	RECORD(DECISION_VTIME_ON_JOIN, answer, vtime, clock, limits->credit_ns_max, limits->debt_ns_max);
	return answer;
}
