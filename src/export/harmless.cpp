// SPDX-License-Identifier: GPL-2.0-only
#include "export/harmless.h"

#include <fmt/format.h>

namespace punctual {

std::string harmless(std::string_view name, std::string_view taken)
{
	std::string text;
	for (char c : name) {
		const auto byte = static_cast<unsigned char>(c);
		if (byte < 0x20 || byte > 0x7e || taken.find(c) != std::string_view::npos)
			text += fmt::format("_x{:02x}", byte);
		else
			text += c;
	}
	return text;
}

}  // namespace punctual
