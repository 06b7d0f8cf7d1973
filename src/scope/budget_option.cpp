// SPDX-License-Identifier: GPL-2.0-only
#include "scope/budget_option.h"

#include <algorithm>
#include <charconv>

#include "abi/sched.h"
#include "base/cgroup.h"
#include "base/cpu_list.h"
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

Result<std::chrono::nanoseconds> parse_latency_attribute(std::string_view text, std::string_view what)
{
	// A bare number is nanoseconds here: the name of the attribute says so.
	const bool is_plain = !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
	return is_plain ? parse_budget_duration(std::string(text) + "ns", what) : parse_budget_duration(text, what);
}

Result<uint32_t> parse_percent(std::string_view text, std::string_view what, uint32_t min, uint32_t max)
{
	const std::string_view number = text.ends_with('%') ? text.substr(0, text.size() - 1) : text;
	const char* end = number.data() + number.size();
	uint32_t value = 0;
	auto [stop, error] = std::from_chars(number.data(), end, value);
	if (error != std::errc() || stop != end || value < min || value > max)
		return fail(ExitCode::usage, "{}: '{}' is not a whole percentage from {}% to {}%", what, text, min,
			    max);
	return value;
}

Result<uint32_t> parse_cap_percent(std::string_view text, std::string_view what)
{
	const size_t cpus = TRY(CpuList::online()).size();
	return parse_percent(text, fmt::format("cap of {}", what), 1, static_cast<uint32_t>(100 * cpus));
}

}  // namespace punctual
