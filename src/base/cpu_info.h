// SPDX-License-Identifier: GPL-2.0-only
// What /proc/cpuinfo says of the processor.
#pragma once

#include <string>
#include <string_view>

namespace punctual {

// The value of the first "key   : value" line of such a text; "unknown" when there is none.
std::string cpu_info_field(std::string_view cpuinfo, std::string_view key);

// "Intel(R) Xeon(R) ...", or "unknown".
std::string cpu_model();

}  // namespace punctual
