// SPDX-License-Identifier: GPL-2.0-only
// The end of a guest's console, fit for an error message.
#pragma once

#include <string>
#include <string_view>

namespace punctual {

// The last `lines` lines, each on an indented line of its own, without what would move a terminal's cursor.
std::string console_tail(std::string_view console, int lines);

}  // namespace punctual
