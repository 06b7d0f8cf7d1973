// SPDX-License-Identifier: GPL-2.0-only
// Counters as a part of the document "punctual.bench", and back. An event that was not counted is null.
#pragma once

#include <nlohmann/json.hpp>

#include "bench/side_counts.h"

namespace punctual {

nlohmann::ordered_json side_counts_json(const SideCounts& counts, uint64_t packets);
// Throws what the JSON library throws: for the reader of the document around it.
SideCounts side_counts_from(const nlohmann::ordered_json& json);

}  // namespace punctual
