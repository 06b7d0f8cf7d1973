// SPDX-License-Identifier: GPL-2.0-only
#include "sim/eevdf.h"

#include <algorithm>

namespace punctual::sim {
namespace {

// One that has not run its request out may not keep its place for longer than this many requests: update_entity_lag().
constexpr u64 kLagSlices = 2;

}  // namespace

s64 fair_delta(u64 ran_ns, const FairEntity& entity)
{
	return static_cast<s64>(entity.load == kNiceZeroLoad ? ran_ns : ran_ns * kNiceZeroLoad / entity.load);
}

u64 FairQueue::load() const
{
	u64 sum = 0;
	for (const FairEntity* entity : entities)
		sum += entity->load;
	return sum;
}

// Weighted, rounded down also below zero; relative to the least, so that it does not overflow.
s64 FairQueue::average() const
{
	s64 sum = 0;
	s64 loads = 0;

	for (const FairEntity* entity : entities) {
		sum += (entity->vruntime - vruntime_min) * static_cast<s64>(entity->load);
		loads += static_cast<s64>(entity->load);
	}
	if (!loads)
		return vruntime_min;
	if (sum < 0)
		sum -= loads - 1;
	return vruntime_min + sum / loads;
}

bool FairQueue::is_eligible(const FairEntity& entity) const
{
	s64 sum = 0;
	s64 loads = 0;

	for (const FairEntity* other : entities) {
		sum += (other->vruntime - vruntime_min) * static_cast<s64>(other->load);
		loads += static_cast<s64>(other->load);
	}
	return sum >= (entity.vruntime - vruntime_min) * loads;
}

FairEntity* FairQueue::pick(bool protect) const
{
	FairEntity* best = nullptr;

	if (entities.size() == 1)
		return entities.front();
	if (curr && curr->on_queue && protect && curr->vprot - curr->vruntime > 0 && is_eligible(*curr))
		return curr;
	for (FairEntity* entity : entities)
		if (is_eligible(*entity) && (!best || entity->deadline - best->deadline < 0))
			best = entity;
	return best;
}

s64 FairQueue::lag_of(const FairEntity& entity, const FairLimits& limits) const
{
	const s64 limit = fair_delta(std::max(kLagSlices * entity.slice_ns, limits.tick_ns), entity);
	return std::clamp(average() - entity.vruntime, -limit, limit);
}

bool FairQueue::update_curr(u64 ran_ns, const FairLimits& limits)
{
	if (!curr || !ran_ns)
		return false;
	bool is_over = false;
	curr->vruntime += fair_delta(ran_ns, *curr);
	if (curr->vruntime - curr->deadline >= 0) {  // update_deadline()
		curr->slice_ns = limits.base_slice_ns;
		curr->deadline = curr->vruntime + fair_delta(curr->slice_ns, *curr);
		is_over = true;
	}
	update_min();
	return nr_queued() > 1 && (is_over || curr->vprot - curr->vruntime <= 0);
}

void FairQueue::update_min()
{
	s64 least = vruntime_min;
	bool has_any = false;

	for (const FairEntity* entity : entities) {
		least = !has_any || entity->vruntime - least < 0 ? entity->vruntime : least;
		has_any = true;
	}
	if (has_any && least - vruntime_min > 0)
		vruntime_min = least;
}

// All ask for the base slice, so the shortest request of the queue is its own, and it is protected for all of it.
void FairQueue::set_curr(FairEntity* entity)
{
	curr = entity;
	if (entity)
		entity->vprot = entity->deadline;
}

// place_entity(): so that its lag is what it was, once it has moved the average by coming.
void FairQueue::place(FairEntity& entity, bool is_new, const FairLimits& limits)
{
	const s64 average_before = average();
	s64 lag = 0;

	entity.slice_ns = limits.base_slice_ns;
	if (nr_queued() && entity.vlag) {
		const auto loads = static_cast<s64>(load());
		lag = entity.vlag * (loads + static_cast<s64>(entity.load)) / std::max<s64>(loads, 1);
	}
	entity.vruntime = average_before - lag;
	if (entity.has_relative_deadline) {
		entity.deadline += entity.vruntime;
		entity.has_relative_deadline = false;
		return;
	}
	entity.deadline = entity.vruntime + fair_delta(entity.slice_ns, entity) / (is_new ? 2 : 1);
}

void FairQueue::enqueue(FairEntity& entity)
{
	entity.queue = this;
	entity.on_queue = true;
	entities.push_back(&entity);
	update_min();
}

void FairQueue::remove(const FairEntity& entity)
{
	std::erase(entities, &entity);
	if (curr == &entity)
		curr = nullptr;
	update_min();
}

bool FairQueue::dequeue(FairEntity& entity, bool sleeps, bool may_delay, const FairLimits& limits)
{
	const bool was_delayed = entity.is_delayed;

	if (sleeps && may_delay && !was_delayed && !is_eligible(entity)) {
		entity.is_delayed = true;
		if (curr == &entity)
			curr = nullptr;
		return false;
	}
	entity.vlag = lag_of(entity, limits);
	if (was_delayed && entity.vlag > 0)
		entity.vlag = 0;  // DELAY_ZERO: it waited for its lag to become 0, not to earn some
	if (!sleeps) {
		entity.deadline -= entity.vruntime;
		entity.has_relative_deadline = true;
	}
	entity.is_delayed = false;
	entity.on_queue = false;
	remove(entity);
	return true;
}

void FairQueue::requeue_delayed(FairEntity& entity, const FairLimits& limits)
{
	entity.vlag = lag_of(entity, limits);
	if (entity.vlag > 0) {
		remove(entity);
		entity.vlag = 0;
		place(entity, false, limits);
		enqueue(entity);
	}
	entity.is_delayed = false;
}

// Its lag stays, in time that is not virtual.
void FairQueue::reweight(FairEntity& entity, u64 load_new)
{
	if (load_new == entity.load)
		return;
	if (!entity.on_queue) {
		entity.vlag = entity.vlag * static_cast<s64>(entity.load) / static_cast<s64>(load_new);
		entity.load = load_new;
		return;
	}
	const s64 average_now = average();
	const auto scaled = [&](s64 value) {
		return value * static_cast<s64>(entity.load) / static_cast<s64>(load_new);
	};
	entity.vruntime = average_now - scaled(average_now - entity.vruntime);
	entity.deadline = average_now + scaled(entity.deadline - average_now);
	entity.vprot = average_now + scaled(entity.vprot - average_now);
	entity.load = load_new;
	update_min();
}

}  // namespace punctual::sim
