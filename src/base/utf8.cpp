// SPDX-License-Identifier: GPL-2.0-only
#include "base/utf8.h"

namespace punctual {

std::optional<Utf8Character> first_character(std::string_view text)
{
	auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
	if (byte(0) < 0x80)
		return Utf8Character{byte(0), 1};
	size_t bytes = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
	if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < bytes)
		return std::nullopt;
	char32_t code = byte(0) & (0xff >> (bytes + 1));
	for (size_t at = 1; at < bytes; ++at) {
		if ((byte(at) & 0xc0) != 0x80)
			return std::nullopt;
		code = code << 6 | (byte(at) & 0x3f);
	}
	constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
	if (code < kSmallest[bytes] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return std::nullopt;
	return Utf8Character{code, bytes};
}

}  // namespace punctual
