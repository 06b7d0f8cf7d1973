// SPDX-License-Identifier: GPL-2.0-only
// Numbers as people read them: few digits, and never a lie. Something is never printed as nothing,
// nearly all is never printed as all, and a wait is rounded up, so that one over budget never looks
// like one within it.
#pragma once

#include <cstdint>
#include <string>

namespace punctual {

// Microseconds without the unit: 0.853, 8.1, 49.3, 4131, 16,909.
std::string us_text(uint64_t ns);

// part / whole in percent without the sign: 0, 0.0017, 2.1, 100; "-" when whole is 0.
std::string percent_text(uint64_t part, uint64_t whole);

// A ratio in percent without the sign: 101, 43, 0.4. "-" when it is not a finite number from 0 up.
std::string relative_text(double ratio);

// A budget as its operator writes it: 60us, 1.5ms.
std::string budget_text(uint64_t budget_ns);

// 9512, 60,000, 1,200,345
std::string count_text(uint64_t count);

}  // namespace punctual
