// SPDX-License-Identifier: GPL-2.0-only
#include "view/number.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/units.h"

namespace punctual {
namespace {

uint64_t divided_upwards(uint64_t value, uint64_t by)
{
	return value / by + (value % by != 0);
}

// A percentage below 1 with two significant digits.
std::string small_percent_text(double percent)
{
	if (percent < 0.0001)
		return "<0.0001";
	// 0.9999 prints as 1.0, so it is the rounded value that says how many decimals make two digits.
	int decimals = static_cast<int>(std::ceil(-std::log10(percent * 1.005))) + 1;
	return fmt::format("{:.{}f}", percent, decimals);
}

}  // namespace

std::string us_text(uint64_t ns)
{
	if (ns < 1000)
		return fmt::format("{}", static_cast<double>(ns) / 1000);  // exact: at most three decimals
	if (uint64_t tenths = divided_upwards(ns, 100); tenths < 1000)
		return fmt::format("{}.{}", tenths / 10, tenths % 10);
	return count_text(divided_upwards(ns, 1000));
}

std::string percent_text(uint64_t part, uint64_t whole)
{
	if (whole == 0)
		return "-";
	if (part == 0)
		return "0";
	if (part == whole)
		return "100";
	double percent = 100 * static_cast<double>(part) / static_cast<double>(whole);
	if (percent < 1)
		return small_percent_text(percent);
	if (part < whole && percent >= 99.95)
		return ">99.9";
	return fmt::format("{:.1f}", percent);
}

std::string relative_text(double ratio)
{
	if (!std::isfinite(ratio) || ratio < 0)
		return "-";
	if (ratio == 0)
		return "0";
	if (ratio < 0.01)
		return small_percent_text(100 * ratio);
	return fmt::format("{:.{}f}", 100 * ratio, ratio < 0.0995 ? 1 : 0);
}

std::string budget_text(uint64_t budget_ns)
{
	constexpr uint64_t kLongest = std::numeric_limits<Nanoseconds::rep>::max();
	return format_duration(Nanoseconds(std::min(budget_ns, kLongest)));
}

std::string count_text(uint64_t count)
{
	std::string digits = fmt::format("{}", count);
	if (digits.size() <= 4)
		return digits;
	for (size_t at = digits.size() - 3; at > 0 && at < digits.size(); at -= 3) {
		digits.insert(at, ",");
		if (at <= 3)
			break;
	}
	return digits;
}

}  // namespace punctual
