// SPDX-License-Identifier: GPL-2.0-only
// Characters of texts that come from outside, which may be no UTF-8 at all.
#pragma once

#include <optional>
#include <string_view>

namespace punctual {

struct Utf8Character {
	char32_t code;
	size_t bytes;
};

// The character at the start of `text`; nothing when it is not well-formed UTF-8 (cut off, overlong, a surrogate, above
// U+10FFFF). REQUIRES text to be not empty.
std::optional<Utf8Character> first_character(std::string_view text);

}  // namespace punctual
