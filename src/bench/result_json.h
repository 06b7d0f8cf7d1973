// SPDX-License-Identifier: GPL-2.0-only
// A run as the JSON document "punctual.bench", version 1, and back. Quantiles are in it for readers;
// reading back uses the histogram, which says more.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "bench/result.h"
#include "bench/starts.h"

namespace punctual {

std::string bench_to_json(const BenchResult& result);

// The document "punctual.bench_starts", version 1: each start as above, and the questions.
std::string starts_to_json(std::span<const BenchResult> starts, std::span<const ArmQuestion> questions);

// Error (failed) when it is another document, another version or contradicts itself.
Result<BenchResult> bench_from_json(std::string_view text);

}  // namespace punctual
