/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Latency budgets: where a task that became runnable goes, and when the running one must leave.
 *
 * The contract: a budgeted task runs within its budget of becoming runnable; until then the CPU
 * belongs to whoever is on it. So a wakeup does not preempt. It queues the task by deadline and
 * names the last safe moment, deadline - reserve, at which the CPU must be taken. A scheduling
 * point that comes earlier by itself serves the task at no cost.
 *
 * Decisions only: facts come in as values, a verdict comes out. All times are ns of one clock.
 */
#pragma once

#include "abi/types.h"

/* What a CPU is doing, as far as placement cares. */
enum running_kind : u32 {
	RUNNING_NOTHING, /* idle, or a task of a class above ours */
	RUNNING_NORMAL,
	RUNNING_KTHREAD, /* a per-CPU kernel thread, in the middle of somebody's turn */
	RUNNING_BUDGETED,
	RUNNING_ARRIVING, /* a budgeted task is at the head of its own queue and about to take over */
};

/* Who has a CPU, and what it can put up against one that waits. */
struct running_facts {
	u64 deadline_ns;   /* with RUNNING_BUDGETED */
	u64 budget_ns;     /* with RUNNING_BUDGETED */
	u64 kept_until_ns; /* RUNNING_NORMAL: policy/floor.h keeps the CPU for it; RUNNING_BUDGETED: its burst */
	u64 turn_until_ns; /* and from those that had their bursts: they owe it the floor; or they take turns */
	enum running_kind kind;
	u32 nr_other_cpus; /* of its cache, in scope: who waits here may be served there */
};

/* The knobs of scx_latency that decisions depend on. */
struct latency_tunables {
	u64 reserve_ns;        /* theta: from deciding to preempt until the task is on the CPU */
	u64 burst_ns;          /* CPU time that a budgeted task gets with one deadline, see class_burst_ns() */
	u64 turn_ns;           /* and a normal task; a per-CPU kernel thread, before it counts as one */
	u64 slack_ns_min;      /* below this a timer is not worth its cost: preempt at once */
	u64 kthread_budget_ns; /* of a per-CPU kernel thread that had to leave its CPU */
	u64 hysteresis_ns;     /* see goes_before_budgeted() */
};

struct place_facts {
	u64 now_ns;
	u64 budget_ns;                /* 0: no budget, or its class is over its cap */
	u64 deadline_ns;              /* the one it had before it lost its CPU; 0: none */
	u64 ran_ns;                   /* CPU time since it woke */
	struct running_facts running; /* on the CPU that the task was given */
	bool woken;                   /* else it lost its CPU */
	bool bound_kthread;           /* a per-CPU kernel thread */
	u8 pad[6];
};

enum place : u32 {
	PLACE_LOCAL,         /* at the head of the CPU's own queue: next, when the running task leaves */
	PLACE_LOCAL_PREEMPT, /* the same, and the running task leaves now */
	PLACE_LOCAL_LAST,    /* at the end of the CPU's own queue */
	PLACE_LATENCY,       /* by deadline; the CPU is to be taken at preempt_at_ns */
	PLACE_NORMAL,        /* by vtime */
};

struct place_decision {
	u64 deadline_ns;   /* 0 for normal tasks */
	u64 key;           /* with PLACE_LATENCY */
	u64 preempt_at_ns; /* with PLACE_LATENCY */
	enum place place;
	u32 pad;
};

/*
 * The key under which a task is queued also tells what it is, so that ops.running and the timer know without a
 * lookup: odd keys are deadlines, even ones virtual times. The second bit of a deadline says that the task lost its CPU
 * within its burst. Three nanoseconds are lost; the order, also across the wrap of u64, is not. A deadline that was
 * renewed after a burst comes behind all that were not, whatever it says: a class that never sleeps would else come
 * before every class with a longer budget, until that runs out. (The kernel compares keys by their difference; ns since
 * boot stay below 2^61 for 73 years.)
 */
constexpr u64 KEY_RENEWED = 1ULL << 62;

static inline u64 deadline_key(u64 deadline_ns)
{
	return (deadline_ns & ~3ULL) | 1;
}

static inline u64 interrupted_key(u64 deadline_ns)
{
	return deadline_ns | 3;
}

static inline u64 renewed_key(u64 deadline_ns)
{
	return deadline_ns | KEY_RENEWED | 1;
}

static inline u64 vtime_key(u64 vtime)
{
	return vtime & ~1ULL;
}

static inline bool is_deadline_key(u64 key)
{
	return key & 1;
}

static inline bool is_renewed_key(u64 key)
{
	return is_deadline_key(key) && (key & KEY_RENEWED);
}

/* Of a claim: a renewed deadline may have the bit as well. */
static inline bool is_interrupted_key(u64 key)
{
	return (key & 3) == 3;
}

/* A deadline that was not renewed: not so a kernel thread's. One comparison, for the verifier's sake. */
static inline bool is_claim_of_a_class(u64 key)
{
	return (key & (KEY_RENEWED | 1)) == 1;
}

/* Of a key in a latency queue: a deadline, or a kernel thread's virtual time, which is one too. */
static inline u64 deadline_of_key(u64 key)
{
	return key & ~KEY_RENEWED;
}

/* The later of two times, or the longer of two durations. */
static inline u64 later(u64 a_ns, u64 b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

static inline u64 earlier(u64 a_ns, u64 b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

/* Between two looks at the clock; none where the second was noted first, by an interrupt in between. */
static inline u64 elapsed_ns(u64 since_ns, u64 now_ns)
{
	return now_ns > since_ns ? now_ns - since_ns : 0;
}

/*
 * CPU time with one deadline. An eighth of its budget, if that is more: a class that waits long may work long, and
 * cannot be told from a runaway earlier.
 */
static inline u64 class_burst_ns(u64 budget_ns, u64 burst_ns)
{
	return later(burst_ns, budget_ns / 8);
}

/* The promise to a running task was kept when it got the CPU: it stands like one that becomes runnable now. */
static inline u64 standing_deadline(const struct running_facts* running, u64 now_ns)
{
	return later(now_ns + running->budget_ns, running->deadline_ns);
}

/*
 * When the wait of a task began that is queued now: when its wakeup began, if that is on record. A record of longer ago
 * is of another wakeup, and none is from the future.
 */
constexpr u64 WAKEUP_NS_MAX = 100000;

static inline u64 wait_began_ns(u64 waking_ns, u64 now_ns)
{
	return waking_ns < now_ns && now_ns - waking_ns <= WAKEUP_NS_MAX ? waking_ns : now_ns;
}

/*
 * What is left of a budget when the task is queued; 0: it has none. Where a CPU was chosen, which took time, there are
 * several, and what nobody measures takes longer: what comes before the wakeup, and after the start. Who asked for a
 * budget counts it, so a little less is aimed at, in proportion. Not of a budget that is hardly longer than a switch:
 * there the CPU is taken at once, whatever is aimed at.
 */
constexpr u32 MARGIN_SHIFT = 5;
constexpr u64 MARGIN_BUDGET_NS_MIN = 32000;

static inline u64 budget_left_ns(u64 budget_ns, u64 waited_ns)
{
	u64 spent_ns = waited_ns;

	if (waited_ns && budget_ns >= MARGIN_BUDGET_NS_MIN)
		spent_ns += budget_ns >> MARGIN_SHIFT;
	return budget_ns > spent_ns ? budget_ns - spent_ns : budget_ns > 0;
}

/*
 * Those that had their bursts take turns of this length, whatever their budgets: what is promised is when one starts,
 * and with 1 ms of budget it would else get a burst in each, beside one that never sleeps.
 */
constexpr u64 ROUND_NS = 50000;

/* Until when the burst of a task that starts now lasts; 0: it has used it up. */
static inline u64 burst_until_ns(u64 now_ns, u64 ran_ns, u64 burst_ns)
{
	return ran_ns < burst_ns ? now_ns + burst_ns - ran_ns : 0;
}

static inline u64 last_safe_ns(u64 deadline_ns, u64 reserve_ns)
{
	return deadline_ns > reserve_ns ? deadline_ns - reserve_ns : 0;
}

/* Until when the CPU is kept for the running task from one with this key. */
static inline u64 kept_until_ns(const struct running_facts* running, u64 key)
{
	if (is_renewed_key(key))
		return later(running->turn_until_ns, running->kept_until_ns);
	return running->kept_until_ns;
}

/*
 * Among budgeted tasks. A burst (a packet function empties its ring) is ended only for one that would be late behind
 * it: an earlier deadline alone is no reason for two switches. After it a class that never sleeps cannot make another
 * one late; a deadline that is hardly earlier is not worth them either.
 */
static inline bool goes_before_budgeted(const struct running_facts* running, u64 now_ns, u64 key,
					const struct latency_tunables* tunables)
{
	u64 deadline_ns = deadline_of_key(key);
	u64 standing_ns = standing_deadline(running, now_ns);

	if (now_ns < kept_until_ns(running, key))
		return is_claim_of_a_class(key) && deadline_ns < standing_ns &&
		       last_safe_ns(deadline_ns, tunables->reserve_ns) < running->kept_until_ns;
	return deadline_ns + tunables->hysteresis_ns < standing_ns;
}

/* May a task with this key take the CPU from what runs there? */
static inline bool may_preempt(const struct running_facts* running, u64 now_ns, u64 key,
			       const struct latency_tunables* tunables)
{
	switch (running->kind) {
	case RUNNING_NORMAL:
		return now_ns >= kept_until_ns(running, key);
	case RUNNING_KTHREAD:
		return true;
	case RUNNING_BUDGETED:
		return goes_before_budgeted(running, now_ns, key, tunables);
	case RUNNING_ARRIVING: /* nobody would look after it, once somebody else is ahead on the CPU's own queue */
	default:
		return false; /* nothing of ours to preempt: the CPU comes to us by itself */
	}
}

/* Has its last safe moment come, or nearly so that a timer is not worth its cost? */
static inline bool is_due(u64 now_ns, u64 deadline_ns, const struct latency_tunables* tunables)
{
	return deadline_ns < now_ns + tunables->reserve_ns + tunables->slack_ns_min;
}

/* Does may_preempt() ask for the key? Where not, nobody need look it up. */
static inline bool key_counts(const struct running_facts* running, u64 now_ns)
{
	return running->kind >= RUNNING_BUDGETED || now_ns < running->turn_until_ns;
}

/* One that lost its CPU before it ran there: what it was promised when it became runnable is still owed. */
static inline bool still_waits(const struct place_facts* facts)
{
	return !facts->woken && facts->deadline_ns && !facts->ran_ns;
}

/* One that lost it in the middle of its work. */
static inline bool is_interrupted(const struct place_facts* facts)
{
	return !facts->woken && facts->ran_ns;
}

static inline bool has_used_burst(const struct place_facts* facts, u64 burst_ns)
{
	return !facts->woken && facts->ran_ns >= class_burst_ns(facts->budget_ns, burst_ns);
}

/* How long a task waits behind one of another class: that one's burst, and as much again for the switches. */
static inline u64 behind_one_ns(u64 burst_ns)
{
	return 2 * burst_ns;
}

/*
 * Two wait for a CPU: when must it be taken, so that the later deadline is kept behind the earlier one? ~0: when it
 * must be for the earlier one alone, or is taken already. Who had its burst is not waited for, nor owed this.
 */
static inline u64 safe_for_both_ns(u64 now_ns, u64 key, u64 other_key, u64 reserve_ns, u64 burst_ns, u64 kept_until_ns)
{
	u64 deadline_ns = deadline_of_key(key);
	u64 other_ns = deadline_of_key(other_key);
	u64 first_ns = last_safe_ns(earlier(deadline_ns, other_ns), reserve_ns);
	u64 second_ns = last_safe_ns(later(deadline_ns, other_ns), reserve_ns + behind_one_ns(burst_ns));

	if (is_renewed_key(key) || is_renewed_key(other_key) || first_ns <= now_ns || first_ns < second_ns)
		return ~0ULL;
	return later(later(second_ns, now_ns), kept_until_ns);
}

/*
 * The latest deadline of those for whom the CPU must be taken now: their last safe moment has come, or nearly so; where
 * several wait, perhaps that for two.
 */
static inline u64 due_ns(u64 now_ns, bool several_wait, const struct latency_tunables* tunables)
{
	return now_ns + tunables->reserve_ns + tunables->slack_ns_min +
	       (several_wait ? behind_one_ns(tunables->burst_ns) : 0);
}

/*
 * A budgeted task leaves its CPU, and the first of those that wait has this key: may others have the CPU before it?
 * Else two packet functions would hand it to each other whenever one sleeps, and packets would no longer gather. Not
 * when its last safe moment is near, nor when it was interrupted: it would wait for all of its budget again after each.
 * from_ns: when it could have the CPU instead of a normal task, for which the floor may keep it.
 */
static inline bool may_gather(u64 from_ns, u64 key, bool several_wait, const struct latency_tunables* tunables)
{
	return is_claim_of_a_class(key) && !is_interrupted_key(key) &&
	       deadline_of_key(key) > due_ns(from_ns, several_wait, tunables);
}

/*
 * Meanwhile one that had its burst waits for more. May it go on, before the claim with this key? Packets wait for it
 * that have waited before. What it still needs is not known: as long again as it ran since it woke, as likely as not.
 * So one that is nearly done goes on, and one that never sleeps does not.
 */
static inline bool may_go_on(u64 now_ns, u64 ran_ns, u64 key)
{
	return now_ns + ran_ns < deadline_of_key(key);
}

/*
 * When a task with this key must be looked at again: at the last safe moment. When that has passed, as soon as
 * nothing keeps the CPU for the running task, or at once where that does not matter: before one that would make it
 * late, or where another CPU may be taken instead. If something else keeps it, or both had their bursts, in a while,
 * and no sooner than the reserve: a timer that preempts whatever it finds faster than anything can get on the CPU would
 * stop the machine.
 */
static inline u64 look_again_ns(u64 now_ns, u64 key, const struct running_facts* running,
				const struct latency_tunables* tunables)
{
	u64 moment_ns = last_safe_ns(deadline_of_key(key), tunables->reserve_ns);
	u64 soonest_ns = now_ns + tunables->slack_ns_min;

	if (moment_ns >= soonest_ns)
		return later(moment_ns, running->kind == RUNNING_NORMAL ? kept_until_ns(running, key) : 0);
	if (running->kind == RUNNING_BUDGETED && is_claim_of_a_class(key) &&
	    goes_before_budgeted(running, soonest_ns, key, tunables))
		return soonest_ns;
	if (kept_until_ns(running, key) > now_ns && running->kind <= RUNNING_BUDGETED)
		return running->nr_other_cpus ? soonest_ns : later(soonest_ns, kept_until_ns(running, key));
	if (running->kind == RUNNING_BUDGETED && !is_renewed_key(key))
		return soonest_ns;
	return now_ns + later(tunables->slack_ns_min, tunables->reserve_ns);
}

/*
 * A budgeted task starts while something with this key waits: when is that to be looked at? now_ns: the task must leave
 * at once, for a claim that came while it arrived and would be late behind it.
 */
static inline u64 look_at_start_ns(u64 now_ns, u64 waiting_key, const struct running_facts* running,
				   const struct latency_tunables* tunables)
{
	if (is_claim_of_a_class(waiting_key) && is_due(now_ns, deadline_of_key(waiting_key), tunables) &&
	    may_preempt(running, now_ns, waiting_key, tunables))
		return now_ns;
	return look_again_ns(now_ns, waiting_key, running, tunables);
}

/*
 * A normal task or a kernel thread starts while something with this key waits, because the kernel took it from the
 * CPU's own queue without asking, or for the floor. Until when may it run? now_ns: it must leave at once. Not so a
 * kernel thread for another one: on one CPU all of them are bound, and when the reserve exceeds what they are given
 * they would all take turns of nothing.
 */
static inline u64 may_run_until_ns(u64 now_ns, u64 waiting_key, const struct running_facts* running,
				   const struct latency_tunables* tunables)
{
	u64 moment_ns = last_safe_ns(deadline_of_key(waiting_key), tunables->reserve_ns);

	if (moment_ns < now_ns + tunables->slack_ns_min) {
		moment_ns = now_ns;
		if (running->kind == RUNNING_KTHREAD && !is_deadline_key(waiting_key))
			moment_ns += later(tunables->slack_ns_min, tunables->reserve_ns);
	}
	return running->kind == RUNNING_NORMAL ? later(moment_ns, kept_until_ns(running, waiting_key)) : moment_ns;
}

/* The same for a timer that found it too early to preempt. */
static inline u64 retry_look_ns(u64 now_ns, const struct running_facts* running, u64 retry_ns,
				const struct latency_tunables* tunables)
{
	u64 soonest_ns = now_ns + later(tunables->slack_ns_min, tunables->reserve_ns);

	return later(soonest_ns, running->kept_until_ns > now_ns ? running->kept_until_ns : now_ns + retry_ns);
}

/* Inlined: a BPF function returns no struct. */
[[gnu::always_inline]] static inline struct place_decision place_by_deadline(const struct place_facts* facts,
									     u64 deadline_ns, u64 key,
									     const struct latency_tunables* tunables)
{
	struct place_decision decision = {
	    .deadline_ns = deadline_ns, .key = key, .preempt_at_ns = 0, .place = PLACE_LATENCY, .pad = 0};

	if (facts->running.kind == RUNNING_NOTHING) {
		decision.place = PLACE_LOCAL;
	} else if (is_due(facts->now_ns, deadline_ns, tunables) &&
		   may_preempt(&facts->running, facts->now_ns, key, tunables)) {
		decision.place = PLACE_LOCAL_PREEMPT;
	} else {
		decision.preempt_at_ns = look_again_ns(facts->now_ns, key, &facts->running, tunables);
	}
	return decision;
}

/*
 * How long one waits that had the CPU and lost it. Within its burst no longer than a turn, also with a longer budget:
 * it would else leave the CPU to others for all of that at the end of each turn, and get less than they.
 */
static inline u64 promised_again_ns(const struct place_facts* facts, const struct latency_tunables* tunables)
{
	return earlier(facts->budget_ns, has_used_burst(facts, tunables->burst_ns) ? ROUND_NS : tunables->turn_ns);
}

/*
 * One that used up its burst comes behind all that did not: with a plain deadline it would come before every class with
 * a longer budget, until that runs out. So the floor is paid by those who run for long, see turn_until_ns.
 */
static inline struct place_decision place_budgeted(const struct place_facts* facts,
						   const struct latency_tunables* tunables)
{
	u64 promised_ns = facts->woken ? facts->budget_ns : promised_again_ns(facts, tunables);
	u64 deadline_ns = still_waits(facts) ? facts->deadline_ns : facts->now_ns + promised_ns;
	u64 key = deadline_key(deadline_ns);

	if (has_used_burst(facts, tunables->burst_ns))
		key = renewed_key(deadline_ns);
	else if (is_interrupted(facts))
		key = interrupted_key(deadline_ns);
	return place_by_deadline(facts, deadline_ns, key, tunables);
}

static inline enum place place_bound_kthread(enum running_kind running)
{
	switch (running) {
	case RUNNING_NORMAL:
	case RUNNING_KTHREAD:
		return PLACE_LOCAL_PREEMPT;
	case RUNNING_ARRIVING:
		return PLACE_LOCAL_LAST;
	default:
		return PLACE_LOCAL;
	}
}

/*
 * One that must leave for a budgeted task comes back by a deadline of its own: a new one each time, since with the
 * old one it would come before the very task that it left for. So it would by preempting, which it might where the
 * measured reserve is as long as its budget. It is ordered by that deadline, but runs as a normal task: budgets go
 * first.
 */
static inline struct place_decision place_kthread_again(const struct place_facts* facts,
							const struct latency_tunables* tunables)
{
	u64 deadline_ns = facts->now_ns + tunables->kthread_budget_ns;
	struct place_decision decision;

	decision = place_by_deadline(facts, deadline_ns, vtime_key(deadline_ns), tunables);
	if (decision.place == PLACE_LOCAL_PREEMPT) {
		decision.place = PLACE_LATENCY;
		decision.preempt_at_ns = look_again_ns(facts->now_ns, decision.key, &facts->running, tunables);
	}
	return decision;
}

/* Where a task that became runnable, or lost its CPU, waits. */
static inline struct place_decision place_task(const struct place_facts* facts, const struct latency_tunables* tunables)
{
	struct place_decision decision = {
	    .deadline_ns = 0, .key = 0, .preempt_at_ns = 0, .place = PLACE_NORMAL, .pad = 0};

	/*
	 * ksoftirqd and bound kworkers do work that a packet function waits for: they are never behind
	 * normal user tasks, nor ahead of a budgeted task that already runs. After a full turn it is a
	 * long-running task like others.
	 */
	if (facts->bound_kthread && facts->woken) {
		decision.place = place_bound_kthread(facts->running.kind);
		return decision;
	}
	if (facts->bound_kthread && facts->ran_ns < tunables->turn_ns)
		return place_kthread_again(facts, tunables);
	return facts->budget_ns ? place_budgeted(facts, tunables) : decision;
}
