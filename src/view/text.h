// SPDX-License-Identifier: GPL-2.0-only
// Text from others - names of tasks and cgroups, kernel strings - made harmless. Whoever may start a
// process chooses such names: they may hold terminal escapes, markup, half characters, or text
// that runs backwards. Every output of view passes through here, exactly once.
#pragma once

#include <string>
#include <string_view>

namespace punctual {

// Valid UTF-8 without control characters, line breaks and direction marks: each is shown as \x1b or
// \u{202e} instead of obeyed. Safe for a terminal, a log line and a table cell.
std::string clean_text(std::string_view text);

// clean_text, and &, <, >, " and ' as entities: safe in HTML and SVG, as content and inside quotes.
std::string escape_markup(std::string_view text);

// How many terminal columns a clean text takes: 0 for combining marks, 2 for wide East Asian ones.
size_t text_width(std::string_view text);

// How many bytes the first character takes; 1 when it is none in UTF-8. REQUIRES text to be not empty.
size_t character_bytes(std::string_view text);

// At most `width_max` columns; what is cut off is replaced by "...". REQUIRES width_max >= 3.
std::string shortened(std::string_view text, size_t width_max);

}  // namespace punctual
