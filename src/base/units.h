// SPDX-License-Identifier: GPL-2.0-only
// Reading and printing quantities as operators write them: 60us, 60k, 1G.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace punctual {

using Nanoseconds = std::chrono::nanoseconds;

// "60us", "1.5ms", "5s", "2m", "1h", "1min 30s"; a bare number is seconds. Not negative, at most 292 years.
Result<Nanoseconds> parse_duration(std::string_view text);

// "60k", "1.5M", "250": events a second; suffixes k, M, G are powers of 1000. At least 1.
Result<uint64_t> parse_rate(std::string_view text);

// "512M", "1G", "4096": bytes; suffixes K, M, G are powers of 1024.
Result<uint64_t> parse_size(std::string_view text);

// The shortest exact form that parse_duration reads back: "60us", "1.5ms", "0s".
std::string format_duration(Nanoseconds duration);

}  // namespace punctual
