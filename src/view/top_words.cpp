// SPDX-License-Identifier: GPL-2.0-only
#include "view/top_words.h"

#include <cmath>

#include <fmt/format.h>

#include "view/number.h"
#include "view/text.h"

namespace punctual {

std::string short_cgroup(std::string_view path)
{
	if (const size_t slash = path.rfind('/'); slash != std::string_view::npos && slash + 1 < path.size())
		path.remove_prefix(slash + 1);
	for (const std::string_view ending : {".slice", ".service", ".scope"})
		if (path.size() > ending.size() && path.ends_with(ending))
			return std::string(path.substr(0, path.size() - ending.size()));
	return std::string(path);
}

std::string tail_of(std::string_view text, int width)
{
	std::string clean = clean_text(text);
	std::string_view rest = clean;
	if (static_cast<int>(text_width(rest)) <= width)
		return clean;
	// A mark must not begin the rest: it would stand on the dots.
	while (static_cast<int>(text_width(rest)) > width - 3 ||
	       (!rest.empty() && text_width(rest.substr(0, character_bytes(rest))) == 0))
		rest.remove_prefix(character_bytes(rest));
	return "..." + std::string(rest);
}

std::string age_text(u64 ns)
{
	const u64 seconds = ns / 1000000000;
	if (seconds < 60)
		return fmt::format("{}s", seconds);
	if (seconds < 3600)
		return fmt::format("{}m {}s", seconds / 60, seconds % 60);
	if (seconds < 86400)
		return fmt::format("{}h {}m", seconds / 3600, seconds / 60 % 60);
	return fmt::format("{}d {}h", seconds / 86400, seconds / 3600 % 24);
}

std::string rate_text(u64 nr, u64 window_ns)
{
	if (window_ns == 0)
		return "-";
	const double rate = static_cast<double>(nr) * 1e9 / static_cast<double>(window_ns);
	if (nr == 0)
		return "0";
	if (rate < 0.1)
		return "<0.1";
	return rate < 99.95 ? fmt::format("{:.1f}", rate) : short_count(static_cast<u64>(std::llround(rate)));
}

std::string wait_text(u64 ns)
{
	constexpr u64 kSecond = 1'000'000'000;
	if (ns < kSecond - 999)  // us_text rounds up
		return us_text(ns);
	const u64 step_ns = ns < 100 * kSecond ? kSecond / 1000 : kSecond / 10;
	const u64 nr_in_a_second = kSecond / step_ns;
	const u64 steps = ns / step_ns + (ns % step_ns != 0);
	return fmt::format("{:.{}f}s", static_cast<double>(steps) / static_cast<double>(nr_in_a_second),
			   step_ns == kSecond / 10 ? 1 : 3);
}

std::string short_count(u64 count)
{
	if (count < 10'000'000)
		return count_text(count);
	const auto value = static_cast<double>(count);
	return value < 9.995e9 ? fmt::format("{:.1f}M", value / 1e6) : fmt::format("{:.1f}G", value / 1e9);
}

}  // namespace punctual
