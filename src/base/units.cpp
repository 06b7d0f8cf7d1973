// SPDX-License-Identifier: GPL-2.0-only
#include "base/units.h"

#include <array>
#include <limits>
#include <optional>

namespace punctual {
namespace {

// Exact arithmetic throughout: a budget that is rounded on the way in is not the budget that was asked for.
using Wide = unsigned __int128;

struct Unit {
	std::string_view name;
	uint64_t factor;
};

constexpr uint64_t kSecond_ns = 1'000'000'000;

constexpr std::array kDurationUnits = {
    Unit{"ns", 1},
    Unit{"us", 1'000},
    Unit{"\u00b5s", 1'000},  // micro sign
    Unit{"ms", 1'000'000},
    Unit{"s", kSecond_ns},
    Unit{"sec", kSecond_ns},
    Unit{"m", 60 * kSecond_ns},
    Unit{"min", 60 * kSecond_ns},
    Unit{"h", 3600 * kSecond_ns},
    Unit{"d", 86400 * kSecond_ns},
};

constexpr std::array kRateUnits = {
    Unit{"", 1}, Unit{"k", 1'000}, Unit{"K", 1'000}, Unit{"M", 1'000'000}, Unit{"G", 1'000'000'000},
};

constexpr std::array kSizeUnits = {
    Unit{"", 1},          Unit{"k", 1UL << 10}, Unit{"K", 1UL << 10},
    Unit{"M", 1UL << 20}, Unit{"G", 1UL << 30}, Unit{"T", 1UL << 40},
};

// Longest decimal accepted: 19 digits in all, so that digits * 1 day still fits in 128 bits.
constexpr int kDigitsMax = 19;

// A decimal number as digits / 10^scale.
struct Decimal {
	uint64_t digits;
	uint64_t scale;  // a power of ten
};

bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// Takes a decimal number from the front of `text`; nullopt when there is none or it is too long.
std::optional<Decimal> take_decimal(std::string_view& text)
{
	Decimal number{0, 1};
	int digits = 0;
	bool point = false;
	size_t at = 0;
	for (; at < text.size(); at++) {
		if (text[at] == '.' && !point && digits > 0) {
			point = true;
			continue;
		}
		if (!is_digit(text[at]))
			break;
		if (++digits > kDigitsMax)
			return std::nullopt;
		number.digits = number.digits * 10 + static_cast<uint64_t>(text[at] - '0');
		if (point)
			number.scale *= 10;
	}
	if (digits == 0 || text[at - 1] == '.')
		return std::nullopt;
	text.remove_prefix(at);
	return number;
}

// Takes a unit from the front of `text`: everything up to a digit, a point or white space.
std::string_view take_unit(std::string_view& text)
{
	const size_t length = std::min(text.find_first_of("0123456789. \t"), text.size());
	const std::string_view unit = text.substr(0, length);
	text.remove_prefix(length);
	return unit;
}

template <size_t N>
std::optional<uint64_t> factor_of(const std::array<Unit, N>& units, std::string_view name)
{
	for (const Unit& unit : units)
		if (unit.name == name)
			return unit.factor;
	return std::nullopt;
}

// number * factor when that is a whole number of at most `value_max`.
std::optional<uint64_t> scaled(Decimal number, uint64_t factor, uint64_t value_max)
{
	const Wide product = Wide{number.digits} * factor;
	if (product % number.scale != 0 || product / number.scale > value_max)
		return std::nullopt;
	return static_cast<uint64_t>(product / number.scale);
}

void skip_spaces(std::string_view& text)
{
	text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

// One number with one suffix and nothing else.
template <size_t N>
std::optional<uint64_t> parse_quantity(std::string_view text, const std::array<Unit, N>& units)
{
	const std::optional<Decimal> number = take_decimal(text);
	if (!number)
		return std::nullopt;
	const std::optional<uint64_t> factor = factor_of(units, text);
	return factor ? scaled(*number, *factor, std::numeric_limits<uint64_t>::max()) : std::nullopt;
}

// "12.5" for 12500 in units of 1000; nullopt when it is below one unit or no finite decimal.
std::optional<std::string> decimal_text(uint64_t value, uint64_t unit)
{
	if (value < unit)
		return std::nullopt;
	std::string text = std::to_string(value / unit);
	uint64_t rest = value % unit;
	if (rest != 0)
		text += '.';
	for (int place = 0; rest != 0; place++) {
		if (place > kDigitsMax)
			return std::nullopt;
		const Wide shifted = Wide{rest} * 10;
		text += static_cast<char>('0' + static_cast<int>(shifted / unit));
		rest = static_cast<uint64_t>(shifted % unit);
	}
	return text;
}

}  // namespace

Result<Nanoseconds> parse_duration(std::string_view text)
{
	constexpr uint64_t kLongest_ns = std::numeric_limits<int64_t>::max();
	const auto refused = [text](std::string_view why) {
		return fail(ExitCode::usage, "duration '{}': {} (write it like 60us, 1.5ms, 5s, 2m or 1h)", text, why);
	};
	std::string_view rest = text;
	uint64_t total_ns = 0;
	skip_spaces(rest);
	if (rest.empty())
		return refused("is empty");
	for (bool first = true; !rest.empty(); first = false) {
		const std::optional<Decimal> number = take_decimal(rest);
		if (!number)
			return refused("is not a number with a unit");
		std::string_view unit = take_unit(rest);
		skip_spaces(rest);
		if (unit.empty() && first && rest.empty())
			unit = "s";  // a bare number, as for sleep(1)
		const std::optional<uint64_t> factor = factor_of(kDurationUnits, unit);
		if (!factor)
			return refused(unit.empty() ? "has a part without a unit" : "has an unknown unit");
		const std::optional<uint64_t> part_ns = scaled(*number, *factor, kLongest_ns - total_ns);
		if (!part_ns)
			return refused("is finer than a nanosecond or longer than 292 years");
		total_ns += *part_ns;
	}
	return Nanoseconds(static_cast<int64_t>(total_ns));
}

Result<uint64_t> parse_rate(std::string_view text)
{
	const std::optional<uint64_t> rate = parse_quantity(text, kRateUnits);
	if (!rate || *rate == 0)
		return fail(ExitCode::usage,
			    "rate '{}': expected a whole number of events a second, like 250, 60k or 1.5M", text);
	return *rate;
}

Result<uint64_t> parse_size(std::string_view text)
{
	const std::optional<uint64_t> size = parse_quantity(text, kSizeUnits);
	if (!size)
		return fail(ExitCode::usage, "size '{}': expected bytes, like 4096, 512M or 1G (K = 1024)", text);
	return *size;
}

std::string format_duration(Nanoseconds duration)
{
	constexpr std::array kUnits = {Unit{"h", 3600 * kSecond_ns}, Unit{"m", 60 * kSecond_ns}, Unit{"s", kSecond_ns},
				       Unit{"ms", 1'000'000},        Unit{"us", 1'000},          Unit{"ns", 1}};
	if (duration.count() == 0)
		return "0s";
	const bool negative = duration.count() < 0;  // differences; parse_duration refuses them
	const uint64_t value_ns =
	    negative ? -static_cast<uint64_t>(duration.count()) : static_cast<uint64_t>(duration.count());
	std::string best;
	for (const Unit& unit : kUnits) {
		std::optional<std::string> text = decimal_text(value_ns, unit.factor);
		if (!text)
			continue;
		text->append(unit.name);
		if (best.empty() || text->size() < best.size())
			best = std::move(*text);
	}
	return negative ? "-" + best : best;
}

}  // namespace punctual
