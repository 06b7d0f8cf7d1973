// SPDX-License-Identifier: GPL-2.0-only
#include "lab/console_tail.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace punctual {
namespace {

std::string printable(std::string_view text)
{
	std::string clean;
	bool in_sequence = false;
	for (const char c : text) {
		const auto byte = static_cast<unsigned char>(c);
		if (in_sequence)
			in_sequence = std::isalpha(byte) == 0;  // a terminal sequence ends with a letter
		else if (c == '\x1b')
			in_sequence = true;
		else if (c == '\n' || c == '\t' || std::iscntrl(byte) == 0)
			clean.push_back(c);
	}
	return clean;
}

}  // namespace

std::string console_tail(std::string_view console, int lines)
{
	std::string clean = printable(console);
	while (clean.ends_with('\n'))
		clean.pop_back();
	size_t from = clean.size();
	for (int line = 0; line < lines && from != 0 && from != std::string::npos; line++)
		from = clean.rfind('\n', from - 1);
	std::string_view tail = std::string_view(clean).substr(from == std::string::npos || from == 0 ? 0 : from + 1);
	std::string indented;
	while (!tail.empty()) {
		const std::string_view line = tail.substr(0, tail.find('\n'));
		tail.remove_prefix(std::min(line.size() + 1, tail.size()));
		indented += fmt::format("\n    {}", line);
	}
	return indented;
}

}  // namespace punctual
