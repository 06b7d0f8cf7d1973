// SPDX-License-Identifier: GPL-2.0-only
// The words of a rule such as "p99 <= 0.5x" or "miss(vnf.slice) > 1% for 10s", with their positions for errors.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace punctual {

struct RuleWord {
	size_t at = 0;  // position of its first character, counted from 1
	std::string_view text;
};

// Words of signs (<, >, =) and words of everything else, so that "p99<=0.5x" needs no blanks. They point into `text`.
std::vector<RuleWord> rule_words(std::string_view text);

// The number of "12.5%" before the unit "%"; nullopt when the text is anything else, or not finite.
std::optional<double> number_before(std::string_view text, std::string_view unit);

}  // namespace punctual
