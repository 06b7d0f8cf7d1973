// SPDX-License-Identifier: GPL-2.0-only
#include "sim/event_queue.h"

#include <algorithm>

namespace punctual::sim {

EventQueue::EventQueue(u32 nr_cpus)
{
	places_.reserve(static_cast<size_t>(nr_cpus) * kCpuEvents);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		for (u32 kind = 0; kind < kCpuEvents; kind++)
			places_.push_back({kNowhere, cpu, 0, static_cast<EventKind>(kind)});
}

u32 EventQueue::place_of(EventKind kind, u32 index)
{
	if (kind < EventKind::wake)
		return index * kCpuEvents + static_cast<u32>(kind);
	const u32 first = static_cast<u32>(EventKind::wake);
	while (task_places_.size() < (index + 1UL) * kTaskEvents) {
		const auto number = static_cast<u32>(task_places_.size());
		task_places_.push_back(static_cast<u32>(places_.size()));
		places_.push_back(
		    {kNowhere, number / kTaskEvents, 0, static_cast<EventKind>(first + number % kTaskEvents)});
	}
	return task_places_[index * kTaskEvents + static_cast<u32>(kind) - first];
}

void EventQueue::set(u64 at_ns, EventKind kind, u32 index, u32 data)
{
	const u32 place = place_of(kind, index);

	places_[place].data = data;
	insert(place, at_ns);
}

void EventQueue::cancel(EventKind kind, u32 index)
{
	const u32 place = place_of(kind, index);

	if (places_[place].position != kNowhere)
		remove(places_[place].position);
	places_[place].position = kNowhere;
}

void EventQueue::add(u64 at_ns, EventKind kind, u32 index, u32 data)
{
	if (pool_.empty()) {
		pool_.push_back(static_cast<u32>(places_.size()));
		places_.push_back({});
	}
	const u32 place = pool_.back();
	pool_.pop_back();
	places_[place] = {kNowhere, index, data, kind};
	insert(place, at_ns);
}

Event EventQueue::take()
{
	const Entry first = heap_.front();
	Place& place = places_[first.place];
	const Event event = {first.at_ns, place.index, place.data, place.kind};

	remove(0);
	place.position = kNowhere;
	if (place.kind >= EventKind::kick)
		pool_.push_back(first.place);
	return event;
}

void EventQueue::insert(u32 place, u64 at_ns)
{
	const Entry entry = {at_ns, sequence_++, place};
	u32 position = places_[place].position;

	if (position == kNowhere) {
		position = static_cast<u32>(heap_.size());
		heap_.push_back(entry);
		rise(position, entry);
	} else if (is_before(entry, heap_[position])) {
		rise(position, entry);
	} else {
		sink(position, entry);
	}
}

// The last one takes its place.
void EventQueue::remove(u32 position)
{
	const Entry last = heap_.back();

	heap_.pop_back();
	if (position == heap_.size())
		return;
	if (position && is_before(last, heap_[(position - 1) / kChildren]))
		rise(position, last);
	else
		sink(position, last);
}

void EventQueue::rise(u32 position, const Entry& entry)
{
	while (position) {
		const u32 parent = (position - 1) / kChildren;
		if (!is_before(entry, heap_[parent]))
			break;
		put(position, heap_[parent]);
		position = parent;
	}
	put(position, entry);
}

void EventQueue::sink(u32 position, const Entry& entry)
{
	const auto size = static_cast<u32>(heap_.size());

	for (;;) {
		const u32 first = position * kChildren + 1;
		if (first >= size)
			break;
		u32 least = first;
		for (u32 child = first + 1; child < std::min(first + kChildren, size); child++)
			if (is_before(heap_[child], heap_[least]))
				least = child;
		if (!is_before(heap_[least], entry))
			break;
		put(position, heap_[least]);
		position = least;
	}
	put(position, entry);
}

}  // namespace punctual::sim
