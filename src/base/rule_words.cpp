// SPDX-License-Identifier: GPL-2.0-only
#include "base/rule_words.h"

#include <charconv>
#include <cmath>

namespace punctual {
namespace {

constexpr size_t kWordsLikely = 32;

bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool is_sign(char c)
{
	return c == '<' || c == '>' || c == '=';
}

}  // namespace

std::vector<RuleWord> rule_words(std::string_view text)
{
	std::vector<RuleWord> words;
	words.reserve(kWordsLikely);
	for (size_t at = 0; at < text.size();) {
		if (is_blank(text[at])) {
			at++;
			continue;
		}
		const size_t begin = at;
		while (at < text.size() && !is_blank(text[at]) && is_sign(text[at]) == is_sign(text[begin]))
			at++;
		words.push_back({begin + 1, text.substr(begin, at - begin)});
	}
	return words;
}

std::optional<double> number_before(std::string_view text, std::string_view unit)
{
	double value = 0;
	if (!text.ends_with(unit))
		return std::nullopt;
	text.remove_suffix(unit.size());
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
		return std::nullopt;
	return value;
}

}  // namespace punctual
