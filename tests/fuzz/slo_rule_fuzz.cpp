// SPDX-License-Identifier: GPL-2.0-only
// Rules of the guard and its hook come from command lines. Any text must give a rule or an error, and the text that an
// accepted rule keeps must give the same rule again.
#include <cstdlib>
#include <string_view>

#include "guard/hook_words.h"
#include "guard/slo_rule.h"

using namespace punctual;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const std::string_view text(reinterpret_cast<const char*>(data), size);
	if (const Result<SloRule> rule = parse_slo_rule(text)) {
		const Result<SloRule> again = parse_slo_rule(rule->text);
		if (!again || again->limit != rule->limit || again->for_ns != rule->for_ns ||
		    again->cgroup != rule->cgroup)
			abort();
		if (!(rule->limit >= 0) || rule->for_ns < 0)
			abort();
	}
	if (const auto words = split_hook(text); words && words->empty())
		abort();
	return 0;
}
