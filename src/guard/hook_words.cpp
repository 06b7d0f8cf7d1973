// SPDX-License-Identifier: GPL-2.0-only
#include "guard/hook_words.h"

#include <algorithm>
#include <optional>

namespace punctual {

Result<std::vector<std::string>> split_hook(std::string_view command)
{
	std::vector<std::string> words;
	std::optional<std::string> word;  // also an empty one, between quotes
	char quote = 0;
	size_t quote_at = 0;
	for (size_t at = 0; at < command.size(); at++) {
		const char c = command[at];
		if (c == '\0')
			return fail(ExitCode::usage, "--on-fallback, position {}: a zero byte", at + 1);
		if (c == '\\' && quote != '\'') {
			if (++at == command.size())
				return fail(ExitCode::usage, "--on-fallback ends after the \\ at position {}", at);
			word = word.value_or("") + command[at];
		} else if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? '\0' : c;
			quote_at = at + 1;
			word = word.value_or("");
		} else if (!quote && (c == ' ' || c == '\t' || c == '\n')) {
			if (word)
				words.push_back(std::move(*word));
			word.reset();
		} else {
			word = word.value_or("") + c;
		}
	}
	if (quote)
		return fail(ExitCode::usage, "--on-fallback: the {} at position {} has no end", quote, quote_at);
	if (word)
		words.push_back(std::move(*word));
	if (words.empty())
		return fail(ExitCode::usage, "--on-fallback is empty; name a program");
	return words;
}

Status check_webhook(std::string_view url)
{
	constexpr size_t kUrlMax = 2000;
	const size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
	const auto is_odd = [](unsigned char c) { return c <= 0x20 || c >= 0x7f || c == '"' || c == '\\'; };
	if (scheme == 0 || url.size() == scheme || url.size() > kUrlMax || url[scheme] == '/' ||
	    std::ranges::any_of(url, is_odd))
		return fail(ExitCode::usage,
			    "the webhook is no URL of the form http://HOST[:PORT]/PATH or https://...");
	return {};
}

}  // namespace punctual
