// SPDX-License-Identifier: GPL-2.0-only
// Why a budget cannot be kept, in words, with the remedy.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "abi/sched.h"

namespace punctual {

// For scripts: "over_cap", "not_enough_cpu", ...
std::string_view reason_key(uint32_t reason);

// "over its cap: ...; raise the cap": of the last infeasible window.
std::string infeasible_words(const class_verdict& verdict);

// "budget not kept in 3 of 40 windows of 100 ms"
std::string infeasible_count(const class_verdict& verdict);

}  // namespace punctual
