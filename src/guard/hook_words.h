// SPDX-License-Identifier: GPL-2.0-only
// A hook command without a shell: nothing in it is expanded, so nothing that a task calls itself can become a command.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace punctual {

// Words between blanks. '...' is literal; in "..." and outside, \ makes the next character literal. Error (usage): no
// word at all, or a quote or \ without its end, with its position counted from 1.
Result<std::vector<std::string>> split_hook(std::string_view command);

// Error (usage) unless it is http:// or https:// and a host, without blanks and control characters.
Status check_webhook(std::string_view url);

}  // namespace punctual
