// SPDX-License-Identifier: GPL-2.0-only
#include "base/toml_document.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/utf8.h"

namespace punctual {
namespace {

// Where in a TOML text we are, and so what a character beyond ASCII means there.
class Scanner {
 public:
	explicit Scanner(std::string_view text) : text_(text) {}

	bool at_end() const { return text_.empty(); }
	std::string_view rest() const { return text_; }
	bool may_be_escaped() const { return !is_after_backslash_ && (mark_ == "#" || mark_.starts_with('"')); }

	// Goes on by a character, or by a mark of several.
	std::string_view take(size_t bytes)
	{
		const std::string_view taken = text_.substr(0, bytes);
		text_.remove_prefix(bytes);
		return taken;
	}
	std::string_view take_ascii()
	{
		const char letter = text_.front();
		if (is_after_backslash_ || (letter == '\\' && mark_.starts_with('"'))) {
			is_after_backslash_ = !is_after_backslash_;
			return take(1);
		}
		if (letter == '\n' && mark_.size() == 1)  // ends a comment, and what lacks its quote
			mark_ = {};
		if (mark_.empty())
			return take(begin());
		return take(mark_ != "#" && text_.starts_with(mark_) ? end() : 1);
	}

 private:
	size_t begin()
	{
		for (const std::string_view mark : {"\"\"\"", "'''", "\"", "'", "#"})
			if (text_.starts_with(mark)) {
				mark_ = mark;
				return mark.size();
			}
		return 1;
	}
	// Two more quotes before the last three belong to the text.
	size_t end()
	{
		const size_t nr_quotes = std::min(text_.find_first_not_of(mark_.front()), text_.size());
		const size_t bytes = mark_.size() == 1 ? 1 : std::min<size_t>(nr_quotes, 5);
		mark_ = {};
		return bytes;
	}

	std::string_view text_;
	std::string_view mark_;  // of the quotes or the comment that we are in
	bool is_after_backslash_ = false;
};

// The text with each character beyond ASCII as TOML has it in double quotes: \U000000e9.
Result<std::string> escaped(std::string_view text, std::string_view file_name)
{
	constexpr std::string_view kMark = "\xef\xbb\xbf";  // some editors begin every file by it
	Scanner scanner(text.substr(text.starts_with(kMark) ? kMark.size() : 0));
	std::string ascii;
	for (uint32_t line = 1; !scanner.at_end();) {
		const std::optional<Utf8Character> character = first_character(scanner.rest());
		if (!character)
			return fail(ExitCode::usage, "{}:{}: a byte that is no UTF-8 (save the file as UTF-8)",
				    file_name, line);
		if (character->bytes == 1) {
			line += character->code == '\n';
			ascii += scanner.take_ascii();
		} else if (scanner.may_be_escaped()) {
			ascii += fmt::format("\\U{:08x}", static_cast<uint32_t>(character->code));
			scanner.take(character->bytes);
		} else {
			return fail(ExitCode::usage,
				    "{}:{}: U+{:04X} may stand in a comment or in double quotes, not here", file_name,
				    line, static_cast<uint32_t>(character->code));
		}
	}
	return ascii;
}

}  // namespace

Result<toml::table> parse_toml(std::string_view text, std::string_view file_name)
{
	toml::parse_result parsed = toml::parse(TRY(escaped(text, file_name)), file_name);
	if (!parsed)
		return fail(ExitCode::usage, "{}:{}: {}", file_name, parsed.error().source().begin.line,
			    parsed.error().description());
	return std::move(parsed).table();
}

}  // namespace punctual
