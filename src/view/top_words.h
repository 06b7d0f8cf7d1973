// SPDX-License-Identifier: GPL-2.0-only
// Words of `punctual top`: long paths in narrow columns, ages.
#pragma once

#include <string>
#include <string_view>

#include "measure/waits.h"

namespace punctual {

// Its last part, without what systemd appends: "vnf".
std::string short_cgroup(std::string_view path);

// Clean, and at most `width` columns: of a longer text the end, after "...". REQUIRES width >= 3.
std::string tail_of(std::string_view text, int width);

// 34s, 12m 3s, 5h 10m, 3d 4h
std::string age_text(u64 ns);

// 123 a second: 0.3, 8.1, 120, 12,345. "-" when the window is empty.
std::string rate_text(u64 nr, u64 window_ns);

// Below a second us without the unit, as us_text; from there on 1.552s, 123.4s: always at most 8 columns, up to a day.
std::string wait_text(u64 ns);

// Below ten million in full, as count_text; from there on 12.3M, 12.3G, to the nearest.
std::string short_count(u64 count);

}  // namespace punctual
