// SPDX-License-Identifier: GPL-2.0-only
#include "bench/side_counts_json.h"

#include <string>

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kScaled = "estimated";

Json counts_json(const EventCounts& counts)
{
	Json json;
	Json scaled = Json::array();
	for (size_t i = 0; i < kCountedEvents; i++) {
		const auto event = static_cast<CountedEvent>(i);
		const std::string key(event_key(event));
		json[key] = counts.has(event) ? Json(counts.values[i]) : Json(nullptr);
		if ((counts.scaled >> i & 1) != 0)
			scaled.push_back(key);
	}
	json[kScaled] = std::move(scaled);
	return json;
}

EventCounts counts_from(const Json& json)
{
	EventCounts counts;
	for (size_t i = 0; i < kCountedEvents; i++) {
		const std::string key(event_key(static_cast<CountedEvent>(i)));
		const Json& value = json.at(key);
		if (value.is_null())
			continue;
		counts.values[i] = value.get<uint64_t>();
		counts.supported |= 1ULL << i;
		for (const Json& name : json.at(kScaled))
			if (name == key)
				counts.scaled |= 1ULL << i;
	}
	return counts;
}

}  // namespace

Json side_counts_json(const SideCounts& counts, uint64_t packets)
{
	return {{"vnf", counts_json(counts.vnf)},
		{"background", counts_json(counts.background)},
		{"vnf_ns_per_packet", vnf_ns_per_packet(counts, packets)},
		{"both_ns_per_packet", both_ns_per_packet(counts, packets)}};
}

SideCounts side_counts_from(const Json& json)
{
	return {counts_from(json.at("vnf")), counts_from(json.at("background"))};
}

}  // namespace punctual
