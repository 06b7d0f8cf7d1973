// SPDX-License-Identifier: GPL-2.0-only
#include "scope/budget_option.h"

#include "abi/sched.h"
#include "base/cgroup.h"
#include "base/units.h"

namespace punctual {

Result<std::chrono::nanoseconds> parse_budget_duration(std::string_view text, std::string_view what)
{
	auto latency = parse_duration(text);
	if (!latency)
		return fail(ExitCode::usage, "budget of {}: {}", what, latency.error().what);
	if (*latency < Nanoseconds(BUDGET_NS_MIN) || *latency > Nanoseconds(BUDGET_NS_MAX))
		return fail(ExitCode::usage, "budget of {}: {} is outside {} to {}", what, text,
			    format_duration(Nanoseconds(BUDGET_NS_MIN)), format_duration(Nanoseconds(BUDGET_NS_MAX)));
	return *latency;
}

Result<Budget> parse_budget(std::string_view text)
{
	size_t equals = text.rfind('=');  // the last one: a cgroup's name may hold one, a duration cannot
	if (equals == std::string_view::npos || equals == 0)
		return fail(ExitCode::usage, "'{}' is not CGROUP=DURATION, e.g. vnf.slice=60us", text);
	std::string_view name = text.substr(0, equals);
	auto latency = TRY(parse_budget_duration(text.substr(equals + 1), name));
	auto cgroup = TRY(find_cgroup(name));
	return Budget{cgroup.string(), latency};
}

}  // namespace punctual
