// SPDX-License-Identifier: GPL-2.0-only
// The few messages of Perfetto's trace format that we need. The numbers are those of protos/perfetto/trace in Perfetto.
// Part of perfetto.h and perfetto_runs.h.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <protozero/pbf_builder.hpp>

#include "measure/histogram.h"

namespace punctual::perfetto {

// Fields, by message.
enum class Trace : protozero::pbf_tag_type { packet = 1 };
enum class Packet : protozero::pbf_tag_type { timestamp = 8, sequence = 10, event = 11, descriptor = 60 };
enum class Descriptor : protozero::pbf_tag_type { uuid = 1, name = 2, counter = 8 };
enum class Counter : protozero::pbf_tag_type { unit = 3 };
enum class Event : protozero::pbf_tag_type { annotation = 4, type = 9, track = 11, name = 23, counter_value = 30 };
enum class Annotation : protozero::pbf_tag_type { string_value = 6, name = 10 };

enum class EventType : s32 { slice_begin = 1, slice_end = 2, instant = 3, count = 4 };
enum class Unit : s32 { time_ns = 1, count = 2 };

constexpr u32 kSequence = 1;

// protobuf takes only UTF-8, and a name may be anything.
inline std::string ascii(std::string_view text)
{
	std::string out(text);
	std::ranges::replace_if(out, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
	return out;
}

inline void put_track(std::string& out, u64 track, const std::string& name, std::optional<Unit> unit_of_counter = {})
{
	protozero::pbf_builder<Trace> trace(out);
	protozero::pbf_builder<Packet> packet(trace, Trace::packet);
	packet.add_uint32(Packet::sequence, kSequence);
	protozero::pbf_builder<Descriptor> descriptor(packet, Packet::descriptor);
	descriptor.add_uint64(Descriptor::uuid, track);
	descriptor.add_string(Descriptor::name, name);
	if (unit_of_counter)
		protozero::pbf_builder<Counter>(descriptor, Descriptor::counter)
		    .add_enum(Counter::unit, std::to_underlying(*unit_of_counter));
}

// add_rest puts the fields that only this type has.
template <typename AddRest>
void put_event(std::string& out, u64 at_ns, u64 track, EventType type, AddRest add_rest)
{
	protozero::pbf_builder<Trace> trace(out);
	protozero::pbf_builder<Packet> packet(trace, Trace::packet);
	packet.add_uint64(Packet::timestamp, at_ns);
	packet.add_uint32(Packet::sequence, kSequence);
	protozero::pbf_builder<Event> event(packet, Packet::event);
	event.add_enum(Event::type, std::to_underlying(type));
	event.add_uint64(Event::track, track);
	add_rest(event);
}

}  // namespace punctual::perfetto
