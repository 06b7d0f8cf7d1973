// SPDX-License-Identifier: GPL-2.0-only
// Pieces of the exposition format of Prometheus. Part of export/, shown to no other folder.
#pragma once

#include <string>
#include <string_view>

#include "measure/waits.h"

namespace punctual {

void append_metric_head(std::string& out, std::string_view name, std::string_view type, std::string_view help);

// A name that somebody else chose, between the quotation marks of a label.
std::string metric_label(std::string_view name);

// Exact to the nanosecond up to 104 days, in the fewest digits.
std::string metric_seconds(u64 ns);

}  // namespace punctual
