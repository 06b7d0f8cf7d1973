/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Is a budget feasible? A promise that cannot be kept is to be said, with the reason, not hidden in a
 * percentile. A class has an account of what happened in a window of 100 ms. It is infeasible when not
 * one wait was within the budget: a lucky wakeup (an idle CPU, a scheduling point just then) is common,
 * so a class that has none in a hundred thousand microseconds is not late by chance. The shortest wait alone
 * says too little where a CPU is taken for 8 ms out of ten: in the other two all is well, and one wait in a
 * hundred is late. So it is infeasible too when its tasks were overdue for a tenth of the time.
 *
 * Three kinds of trouble leave no wait behind, and count as well: a task that waits since before the
 * window; one that never sleeps, so that nothing becomes runnable, although its packets are late; and a
 * class over its cap, which is served as a normal one then.
 */
#pragma once

#include "abi/sched.h"

constexpr u64 FEASIBLE_WINDOW_NS = 100ULL * 1000 * 1000;
constexpr u64 FEASIBLE_NO_WAIT = ~0ULL;

/*
 * With a wakeup or two a window one late arrival would be a verdict. So the window of a class that
 * seldom wakes goes on until it has that many, but not for ever: what happened a minute ago is no evidence.
 */
constexpr u64 FEASIBLE_WAITS_MIN = 8;
constexpr u64 FEASIBLE_WINDOW_NS_MAX = 600 * FEASIBLE_WINDOW_NS;

constexpr u32 FEASIBLE_LATE_PERCENT = 10;   /* of the window; single late arrivals make up for one at most */
constexpr u32 FEASIBLE_OTHERS_PERCENT = 20; /* of a CPU: more than any floor or reserve makes up for */
constexpr u32 FEASIBLE_FULL_PERCENT = 85;   /* budgets and floor together: samples are no better than that */

/*
 * Of one class, shared by all CPUs: read at each wait, written when there is trouble or a new minimum.
 * A count may lose one when two CPUs have trouble at a time.
 */
struct feasible_window {
	u64 began_ns;
	u64 wait_ns_min;  /* of the waits that ended; 0 before the first window, which is thus feasible */
	u64 nr_missed;    /* waits longer than the budget */
	u64 late_ns;      /* by how much, all together */
	u64 nr_over_cap;  /* times that a task was queued without its budget */
	u64 nr_sleepless; /* samples that met a task which had not slept for a window */
	u64 ran_ns;       /* CPU time of the class, as far as samples met it */
	u64 overdue_ns;   /* how long ago the deadline of a task that still waits has passed */
	u32 cpu;          /* where there was trouble last */
	u32 pad;
};

/* At the end of a window, about the CPU where there was trouble. */
struct feasible_facts {
	u64 now_ns;
	u64 budget_ns;
	u64 switch_ns;        /* what it takes to get on the CPU */
	u32 others_percent;   /* taken by real-time and deadline tasks and interrupts */
	u32 budgeted_percent; /* used by tasks with a budget */
	u32 floor_percent;    /* what normal tasks keep */
	bool floor_paid;      /* and they had to be given it */
	u8 pad[3];
};

/* What tasks with a budget use of a CPU, in windows of its own. */
struct feasible_cpu {
	u64 began_ns;
	u64 budgeted_ns; /* since then */
	u32 percent;     /* of the window before */
	u32 pad;
};

static inline u32 feasible_percent(u64 part_ns, u64 whole_ns)
{
	return part_ns < whole_ns ? (u32)(part_ns * 100 / whole_ns) : 100;
}

/* Every sample of a CPU, whatever it met. */
static inline void feasible_cpu_sample(struct feasible_cpu* cpu, u64 now_ns, u64 budgeted_ns)
{
	u64 elapsed_ns = now_ns - cpu->began_ns;

	cpu->budgeted_ns += budgeted_ns;
	if (elapsed_ns < FEASIBLE_WINDOW_NS)
		return;
	cpu->percent = feasible_percent(cpu->budgeted_ns, elapsed_ns);
	cpu->began_ns = now_ns;
	cpu->budgeted_ns = 0;
}

/* A CPU without samples is idle, or others have all of it. */
static inline u32 feasible_cpu_percent(const struct feasible_cpu* cpu, u64 now_ns)
{
	u64 elapsed_ns = now_ns - cpu->began_ns;

	return elapsed_ns < 2 * FEASIBLE_WINDOW_NS ? cpu->percent : feasible_percent(cpu->budgeted_ns, elapsed_ns);
}

static inline struct feasible_window feasible_window_at(u64 now_ns)
{
	return (struct feasible_window){now_ns, FEASIBLE_NO_WAIT, 0, 0, 0, 0, 0, 0, 0, 0};
}

/* A task of the class has reached a CPU. In the wake path: no more than a compare where all is well. */
static inline void feasible_wait(struct feasible_window* window, u64 wait_ns, u64 budget_ns, u32 cpu)
{
	if (wait_ns < window->wait_ns_min)
		window->wait_ns_min = wait_ns;
	if (wait_ns > budget_ns) {
		window->nr_missed++;
		window->late_ns += wait_ns - budget_ns;
		window->cpu = cpu;
	}
}

/* A sample met a task of the class on a CPU. ran_ns: its CPU time since the sample before; awake_ns: since it woke. */
static inline u64 feasible_sample(struct feasible_window* window, u64 now_ns, u64 ran_ns, u64 awake_ns, u32 cpu)
{
	u64 most_ns = now_ns - window->began_ns;

	if ((s64)most_ns < 0)
		most_ns = 0; /* the window began on another CPU, a moment later */
	if (most_ns > FEASIBLE_WINDOW_NS)
		most_ns = FEASIBLE_WINDOW_NS;
	if (ran_ns > most_ns)
		ran_ns = most_ns; /* the rest was before */
	window->ran_ns += ran_ns;
	if (awake_ns >= FEASIBLE_WINDOW_NS) {
		window->nr_sleepless++;
		window->cpu = cpu;
	}
	return ran_ns;
}

/* A task of the class waits, and this was its deadline. Not yet trouble: it may run in a moment, and counts then. */
static inline void feasible_waiting(struct feasible_window* window, u64 now_ns, u64 deadline_ns, u32 cpu)
{
	u64 overdue_ns = now_ns - deadline_ns;

	if ((s64)overdue_ns <= 0 || overdue_ns <= window->overdue_ns)
		return;
	window->overdue_ns = overdue_ns;
	if (overdue_ns >= FEASIBLE_WINDOW_NS)
		window->cpu = cpu;
}

static inline bool feasible_all_missed(const struct feasible_window* window, u64 budget_ns)
{
	return window->nr_missed > 0 && window->wait_ns_min > budget_ns;
}

static inline bool feasible_is_kept(const struct feasible_window* window, u64 now_ns, u64 budget_ns)
{
	u64 late_ns_max = (now_ns - window->began_ns) * FEASIBLE_LATE_PERCENT / 100;

	return (!feasible_all_missed(window, budget_ns) || window->nr_missed < FEASIBLE_WAITS_MIN) &&
	       window->late_ns <= late_ns_max && window->overdue_ns < FEASIBLE_WINDOW_NS && !window->nr_sleepless &&
	       !window->nr_over_cap;
}

/* Too few waits for a verdict, all of them too long: the window goes on. */
static inline bool feasible_is_open(const struct feasible_window* window, u64 now_ns, u64 budget_ns)
{
	return feasible_all_missed(window, budget_ns) && feasible_is_kept(window, now_ns, budget_ns) &&
	       now_ns - window->began_ns < FEASIBLE_WINDOW_NS_MAX;
}

/* The cause that is the easiest to remove comes first. */
static inline enum feasible_reason feasible_reason_of(const struct feasible_window* window,
						      const struct feasible_facts* facts)
{
	if (facts->others_percent >= FEASIBLE_OTHERS_PERCENT)
		return INFEASIBLE_TAKEN_BY_OTHERS;
	if (window->nr_sleepless > 0)
		return INFEASIBLE_NOT_ENOUGH_CPU;
	if (facts->budgeted_percent + facts->floor_percent >= FEASIBLE_FULL_PERCENT)
		return facts->floor_paid ? INFEASIBLE_FLOOR : INFEASIBLE_NOT_ENOUGH_CPU;
	return facts->budget_ns < facts->switch_ns ? INFEASIBLE_TOO_SHORT : INFEASIBLE_UNKNOWN;
}

/* What is said of the window. A class that asked for nothing is feasible. */
static inline enum feasible_reason feasible_judge(const struct feasible_window* window,
						  const struct feasible_facts* facts)
{
	if (feasible_is_kept(window, facts->now_ns, facts->budget_ns))
		return FEASIBLE;
	return window->nr_over_cap > 0 ? INFEASIBLE_OVER_CAP : feasible_reason_of(window, facts);
}

/* Notes it in the row that user space reads. The facts of the last infeasible window stay. */
static inline void feasible_note(struct class_verdict* verdict, const struct feasible_window* window,
				 const struct feasible_facts* facts, enum feasible_reason reason)
{
	verdict->nr_windows++;
	verdict->reason_now = reason;
	if (reason == FEASIBLE)
		return;
	verdict->nr_infeasible++;
	verdict->reason = reason;
	verdict->length_ns = facts->now_ns - window->began_ns;
	verdict->budget_ns = facts->budget_ns;
	verdict->wait_ns_min = window->wait_ns_min;
	verdict->nr_missed = window->nr_missed;
	verdict->late_ns = window->late_ns;
	verdict->nr_over_cap = window->nr_over_cap;
	verdict->nr_sleepless = window->nr_sleepless;
	verdict->ran_ns = window->ran_ns;
	verdict->overdue_ns = window->overdue_ns;
	verdict->cpu = window->cpu;
	verdict->others_percent = facts->others_percent;
	verdict->budgeted_percent = facts->budgeted_percent;
}
