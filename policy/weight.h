/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Weights of groups: the tasks and groups in a group share by weight what the group gets, and so on up to the root.
 * The queues are flat all the same: a task is charged by its effective weight, its own times, at each level, the
 * weight of the group over the weight that is active in it.
 *
 * What is active is an average. Now and then each task reports for how long it wanted a CPU since its last report:
 * weight x time is added to the sum of its group, and that part of the time in which the group was not yet known to
 * be busy is what the group reports to its parent. So whoever waits for long and whoever sleeps mostly count for what
 * they are, and nobody has to hear of every wakeup and sleep. Sums are kept for this epoch and the one before.
 *
 * Decisions only: facts come in as values.
 */
#pragma once

#include "abi/types.h"

constexpr u32 WEIGHT_SHIFT = 4;  /* effective weights are in 1/16: many tasks in a light group have little each */
constexpr u32 ACTIVE_SHIFT = 10; /* sums count time in units of 1024 ns, so that products fit */
constexpr u32 SHARE_SHIFT = 18;  /* of a share on its way up the tree */
constexpr u64 LOAD_MAX = 1ULL << 30;
constexpr u32 REPORTS_PER_EPOCH = 8;  /* of a task, at most */
constexpr u32 REPORT_EPOCHS_MAX = 10; /* what one report may be about: longer waits happen, but not to normal tasks */

/* What the members of a group reported in one epoch, time in units. */
struct active_sums {
	u64 epoch;
	u64 weighed; /* weight x time */
	u64 plain;   /* the same of all tasks below, by their own weights; counted for the root alone */
	u64 busy;    /* time in which anything was active */
};

static inline bool report_is_due(u64 now_ns, u64 reported_ns, u64 epoch_ns)
{
	return now_ns - reported_ns >= epoch_ns / REPORTS_PER_EPOCH;
}

static inline u64 active_to_report(u64 active_ns, u64 epoch_ns)
{
	return active_ns < REPORT_EPOCHS_MAX * epoch_ns ? active_ns : REPORT_EPOCHS_MAX * epoch_ns;
}

static inline u64 active_units(u64 active_ns)
{
	return active_ns >> ACTIVE_SHIFT;
}

struct busy_time {
	u64 until_ns; /* up to when the group's time is accounted for */
	u64 added_ns;
};

/*
 * A member was active for active_ns; how much of that is new to its group? Time that nobody has reported yet may
 * still be somebody else's, but not for longer than the time between two reports.
 */
static inline struct busy_time busy_after(u64 until_ns, u64 now_ns, u64 active_ns, u64 epoch_ns)
{
	u64 open_ns = (s64)(now_ns - until_ns) > 0 ? now_ns - until_ns : 0; /* clocks of CPUs differ a little */
	u64 kept_ns = 2 * epoch_ns / REPORTS_PER_EPOCH;
	struct busy_time busy = {.until_ns = until_ns, .added_ns = active_ns < open_ns ? active_ns : open_ns};

	busy.until_ns += busy.added_ns;
	if (open_ns - busy.added_ns > kept_ns)
		busy.until_ns = now_ns - kept_ns;
	return busy;
}

/* Of two epochs, those that are this one or the one before. */
static inline struct active_sums recent_sums(const struct active_sums* even, const struct active_sums* odd, u64 epoch)
{
	struct active_sums sums = {.epoch = epoch, .weighed = 0, .plain = 0, .busy = 0};

	if (epoch - even->epoch <= 1) {
		sums.weighed += even->weighed;
		sums.plain += even->plain;
		sums.busy += even->busy;
	}
	if (epoch - odd->epoch <= 1) {
		sums.weighed += odd->weighed;
		sums.plain += odd->plain;
		sums.busy += odd->busy;
	}
	return sums;
}

/* The average over busy time, in 1/16; no less than the weight of the one that asks, who is active. */
static inline u64 active_weight(u64 sum, u64 busy, u32 weight_min)
{
	u64 least = (u64)weight_min << WEIGHT_SHIFT;
	u64 load = busy ? (sum << WEIGHT_SHIFT) / busy : 0;

	if (load < least)
		load = least;
	if (!load)
		return 1;
	return load < LOAD_MAX ? load : LOAD_MAX;
}

/*
 * The share of a member, as seen by the members of the parent: what it has of its group's weight. A task begins with
 * its own weight
 * << SHARE_SHIFT. Never more than the group's weight.
 */
static inline u64 share_in_parent(u64 share, u32 member_weight, u32 group_weight, const struct active_sums* sums)
{
	u64 load = active_weight(sums->weighed, sums->busy, member_weight);

	return share * ((u64)group_weight << WEIGHT_SHIFT) / load;
}

/*
 * The effective weight of a task, in 1/16, from its share among the members of the root. Scaled so that all active
 * tasks together weigh what they would without groups: credit and debt (policy/vtime.h) keep their meaning however many
 * tasks share a group, and without groups nothing changes.
 */
static inline u32 effective_weight(u64 share, u32 member_weight, u32 task_weight, const struct active_sums* root)
{
	u64 load = active_weight(root->weighed, root->busy, member_weight);
	u64 plain = active_weight(root->plain, root->busy, task_weight);
	u64 weight = (share * plain / load) >> (SHARE_SHIFT - WEIGHT_SHIFT);

	if (!weight)
		return 1;
	return weight < ~0U ? (u32)weight : ~0U;
}
