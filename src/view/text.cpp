// SPDX-License-Identifier: GPL-2.0-only
#include "view/text.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "base/utf8.h"

namespace punctual {
namespace {

struct Range {
	char32_t first, last;
};

template <size_t N>
bool is_in(char32_t code, const Range (&ranges)[N])
{
	return std::any_of(std::begin(ranges), std::end(ranges),
			   [code](Range range) { return code >= range.first && code <= range.last; });
}

// Controls, line and paragraph separators, marks that reorder or hide text, and code points that XML
// and HTML do not allow.
constexpr Range kHostile[] = {{0, 0x1f},        {0x7f, 0x9f},     {0x61c, 0x61c},    {0x200b, 0x200f},
			      {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfdd0, 0xfdef},  {0xfeff, 0xfeff},
			      {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe007f}};
constexpr Range kCombining[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x1ab0, 0x1aff},
				{0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
constexpr Range kWide[] = {{0x1100, 0x115f},  {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0xa4cf},
			   {0xac00, 0xd7a3},  {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
			   {0xffe0, 0xffe6},  {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff},
			   {0x20000, 0x3fffd}};

size_t code_width(char32_t code)
{
	return is_in(code, kCombining) ? 0 : is_in(code, kWide) ? 2 : 1;
}

}  // namespace

std::string clean_text(std::string_view text)
{
	std::string clean;
	while (!text.empty()) {
		std::optional<Utf8Character> decoded = first_character(text);
		size_t bytes = decoded ? decoded->bytes : 1;
		if (!decoded || (decoded->code < 0x100 && is_in(decoded->code, kHostile)))
			clean += fmt::format("\\x{:02x}", decoded ? static_cast<unsigned>(decoded->code)
								  : static_cast<unsigned char>(text[0]));
		else if (is_in(decoded->code, kHostile))
			clean += fmt::format("\\u{{{:x}}}", static_cast<unsigned>(decoded->code));
		else
			clean += text.substr(0, bytes);
		text.remove_prefix(bytes);
	}
	return clean;
}

std::string escape_markup(std::string_view text)
{
	std::string escaped;
	for (char c : clean_text(text)) {
		switch (c) {
		case '&':
			escaped += "&amp;";
			break;
		case '<':
			escaped += "&lt;";
			break;
		case '>':
			escaped += "&gt;";
			break;
		case '"':
			escaped += "&quot;";
			break;
		case '\'':
			escaped += "&#39;";
			break;
		default:
			escaped += c;
		}
	}
	return escaped;
}

size_t text_width(std::string_view text)
{
	size_t width = 0;
	while (!text.empty()) {
		std::optional<Utf8Character> decoded = first_character(text);
		width += decoded ? code_width(decoded->code) : 1;
		text.remove_prefix(decoded ? decoded->bytes : 1);
	}
	return width;
}

size_t character_bytes(std::string_view text)
{
	std::optional<Utf8Character> decoded = first_character(text);
	return decoded ? decoded->bytes : 1;
}

std::string shortened(std::string_view text, size_t width_max)
{
	if (text_width(text) <= width_max)
		return std::string(text);
	std::string kept;
	size_t width = 0;
	while (!text.empty()) {
		std::optional<Utf8Character> decoded = first_character(text);
		size_t bytes = decoded ? decoded->bytes : 1;
		width += decoded ? code_width(decoded->code) : 1;
		if (width > width_max - 3)
			break;
		kept += text.substr(0, bytes);
		text.remove_prefix(bytes);
	}
	return kept + "...";
}

}  // namespace punctual
