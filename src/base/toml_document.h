// SPDX-License-Identifier: GPL-2.0-only
// TOML as we read it: toml++ 3.3, and what it must not be given. Of a character beyond ASCII where it looks for the end
// of a value (also behind a mistake of the text), is_non_ascii_horizontal_whitespace() of that library is not defined:
// U+00A1 to U+0499 reach its TOML_UNREACHABLE, and others. So it gets ASCII alone.
#pragma once

// One assertion of the library does not hold for "[=", which it goes on to refuse as it should. It must neither abort
// nor, with NDEBUG, become a promise to the compiler.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(condition) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include <string_view>

#include "base/result.h"

namespace punctual {

// UTF-8 may stand in comments and in double quotes. Errors (usage) name file and line: no UTF-8, a character beyond
// ASCII elsewhere, no TOML.
Result<toml::table> parse_toml(std::string_view text, std::string_view file_name);

}  // namespace punctual
