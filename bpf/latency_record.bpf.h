/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decisions of scx_latency, and their recording: decide_X() asks policy/ for X, and with `punctual run
 * --record-decisions` writes down what was asked and answered, so that the same policy compiled elsewhere can be
 * asked again (src/sim/replay.h). Part of scx_latency.bpf.c, which explains the whole.
 *
 * Without recording the kernel's verifier knows that record_decisions is false and removes all that is behind it:
 * two instructions a decision are left. Hence the order here, the recorded question first and the plain one after
 * it, and everything inlined: facts are then not put into memory for a record that is never written.
 *
 * Facts are copied into the record before the question is asked, and the question is about the copy: another CPU
 * may change the original at any time.
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

/* Room for a record with its head filled in; NULL: there is none, which is counted. */
#define BEGIN_RECORD(type, kind_)                                                               \
	({                                                                                      \
		type* begun = bpf_ringbuf_reserve(&decisions, sizeof(type), 0);                 \
		if (begun)                                                                      \
			begun->head = (struct decision_head){.time_ns = scx_bpf_now(),          \
							     .cpu = bpf_get_smp_processor_id(), \
							     .kind = (kind_),                   \
							     .bytes = sizeof(type)};            \
		else                                                                            \
			__sync_fetch_and_add(&nr_decisions_lost, 1);                            \
		begun;                                                                          \
	})

/* The reader comes by itself: waking it from under a run-queue lock would be a decision of its own. */
static __always_inline void end_record(void* record)
{
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

static __always_inline void record_numbers(enum decision_kind kind, const u64 facts[DECISION_FACTS_MAX],
					   const u64 answers[DECISION_ANSWERS_MAX])
{
	struct number_record* record = BEGIN_RECORD(struct number_record, kind);

	if (!record)
		return;
	for (u32 i = 0; i < DECISION_FACTS_MAX; i++)
		record->facts[i] = facts[i];
	for (u32 i = 0; i < DECISION_ANSWERS_MAX; i++)
		record->answers[i] = answers[i];
	end_record(record);
}

/* RECORD(kind, answer, facts...) */
#define RECORD(kind, answer, ...) \
	record_numbers(kind, (u64[DECISION_FACTS_MAX]){__VA_ARGS__}, (u64[DECISION_ANSWERS_MAX]){answer})

/* ---- policy/latency.h ---- */

static __always_inline struct place_decision decide_place(const struct place_facts* facts,
							  const struct latency_tunables* tunables)
{
	if (record_decisions) {
		struct place_decision decision = place_task(facts, tunables);
		struct place_record* record = BEGIN_RECORD(struct place_record, DECISION_PLACE);

		if (record) {
			record->facts = *facts;
			record->tunables = *tunables;
			record->decision = decision;
			end_record(record);
		}
		return decision;
	}
	return place_task(facts, tunables);
}

static __always_inline void record_look(enum decision_kind kind, u64 now_ns, u64 about_ns,
					const struct running_facts* running, const struct latency_tunables* tunables,
					u64 answer)
{
	struct look_record* record = BEGIN_RECORD(struct look_record, kind);

	if (!record)
		return;
	record->now_ns = now_ns;
	record->about_ns = about_ns;
	record->running = *running;
	record->tunables = *tunables;
	record->answer = answer;
	end_record(record);
}

static __always_inline bool decide_may_preempt(const struct running_facts* running, u64 now_ns, u64 deadline_ns,
					       const struct latency_tunables* tunables)
{
	if (record_decisions) {
		struct running_facts seen = *running;
		bool answer = may_preempt(&seen, now_ns, deadline_ns, tunables);

		record_look(DECISION_MAY_PREEMPT, now_ns, deadline_ns, &seen, tunables, answer);
		return answer;
	}
	return may_preempt(running, now_ns, deadline_ns, tunables);
}

static __always_inline u64 decide_look_again_ns(u64 now_ns, u64 deadline_ns, const struct running_facts* running,
						const struct latency_tunables* tunables)
{
	if (record_decisions) {
		struct running_facts seen = *running;
		u64 answer = look_again_ns(now_ns, deadline_ns, &seen, tunables);

		record_look(DECISION_LOOK_AGAIN, now_ns, deadline_ns, &seen, tunables, answer);
		return answer;
	}
	return look_again_ns(now_ns, deadline_ns, running, tunables);
}

static __always_inline u64 decide_may_run_until_ns(u64 now_ns, u64 waiting_key, const struct running_facts* running,
						   const struct latency_tunables* tunables)
{
	if (record_decisions) {
		struct running_facts seen = *running;
		u64 answer = may_run_until_ns(now_ns, waiting_key, &seen, tunables);

		record_look(DECISION_MAY_RUN_UNTIL, now_ns, waiting_key, &seen, tunables, answer);
		return answer;
	}
	return may_run_until_ns(now_ns, waiting_key, running, tunables);
}

static __always_inline u64 decide_retry_look_ns(u64 now_ns, const struct running_facts* running, u64 retry_ns,
						const struct latency_tunables* tunables)
{
	if (record_decisions) {
		struct running_facts seen = *running;
		u64 answer = retry_look_ns(now_ns, &seen, retry_ns, tunables);

		record_look(DECISION_RETRY_LOOK, now_ns, retry_ns, &seen, tunables, answer);
		return answer;
	}
	return retry_look_ns(now_ns, running, retry_ns, tunables);
}

/* ---- the other headers of policy/ ---- */

static __always_inline u64 decide_resume_ns(const struct resume_facts* facts)
{
	u64 answer = resume_ns(facts);

	if (record_decisions)
		RECORD(DECISION_RESUME, answer, facts->turn_ran_ns, facts->turn_ns, facts->turn_ns_min, facts->in_turn,
		       facts->pinned, facts->latency_waits);
	return answer;
}

static __always_inline u64 decide_reserve_after(u64 reserve_ns, u64 late_ns, u64 reserve_ns_max)
{
	u64 answer = reserve_after(reserve_ns, late_ns, reserve_ns_max);

	if (record_decisions)
		RECORD(DECISION_RESERVE_AFTER, answer, reserve_ns, late_ns, reserve_ns_max);
	return answer;
}

static __always_inline u64 decide_floor_after_budgeted(u64 owed_ns, u64 ran_ns, const struct floor_tunables* tunables)
{
	u64 answer = floor_after_budgeted(owed_ns, ran_ns, tunables);

	if (record_decisions)
		RECORD(DECISION_FLOOR_AFTER_BUDGETED, answer, owed_ns, ran_ns, tunables->owed_ns_max,
		       tunables->ran_ns_max, tunables->rate);
	return answer;
}

static __always_inline u64 decide_floor_after_normal(u64 owed_ns, u64 ran_ns)
{
	u64 answer = floor_after_normal(owed_ns, ran_ns);

	if (record_decisions)
		RECORD(DECISION_FLOOR_AFTER_NORMAL, answer, owed_ns, ran_ns);
	return answer;
}

static __always_inline bool decide_floor_is_due(u64 owed_ns, bool is_paying, const struct floor_tunables* tunables)
{
	bool answer = floor_is_due(owed_ns, is_paying, tunables);

	if (record_decisions)
		RECORD(DECISION_FLOOR_IS_DUE, answer, owed_ns, is_paying, tunables->grain_ns);
	return answer;
}

static __always_inline struct cap_account decide_cap_at(struct cap_account account, u64 now_ns, u64 quota_ns,
							u64 period_ns)
{
	struct cap_account answer = cap_at(account, now_ns, quota_ns, period_ns);

	if (record_decisions)
		record_numbers(
		    DECISION_CAP_AT,
		    (u64[DECISION_FACTS_MAX]){account.period_at_ns, account.used_ns, now_ns, quota_ns, period_ns},
		    (u64[DECISION_ANSWERS_MAX]){answer.period_at_ns, answer.used_ns});
	return answer;
}

static __always_inline bool decide_over_cap(struct cap_account account, u64 quota_ns)
{
	bool answer = over_cap(account, quota_ns);

	if (record_decisions)
		RECORD(DECISION_OVER_CAP, answer, account.period_at_ns, account.used_ns, quota_ns);
	return answer;
}

static __always_inline u64 decide_vtime_on_join(u64 vtime, u64 clock, const struct vtime_limits* limits)
{
	u64 answer = vtime_on_join(vtime, clock, limits);

	if (record_decisions)
		RECORD(DECISION_VTIME_ON_JOIN, answer, vtime, clock, limits->credit_ns_max, limits->debt_ns_max);
	return answer;
}
