// SPDX-License-Identifier: GPL-2.0-only
#include "base/units.h"

#include <gtest/gtest.h>

#include <limits>

namespace punctual {
namespace {

using namespace std::chrono_literals;

Nanoseconds duration(std::string_view text)
{
	Result<Nanoseconds> parsed = parse_duration(text);
	EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().what);
	return parsed.value_or(Nanoseconds(-1));
}

TEST(Duration, ReadsEveryUnit)
{
	EXPECT_EQ(duration("7ns"), 7ns);
	EXPECT_EQ(duration("60us"), 60us);
	EXPECT_EQ(duration("60\u00b5s"), 60us);
	EXPECT_EQ(duration("10ms"), 10ms);
	EXPECT_EQ(duration("5s"), 5s);
	EXPECT_EQ(duration("2m"), 2min);
	EXPECT_EQ(duration("1h"), 1h);
	EXPECT_EQ(duration("1d"), 24h);
}

TEST(Duration, BareNumberIsSeconds)
{
	EXPECT_EQ(duration("3"), 3s);
	EXPECT_EQ(duration("0.5"), 500ms);
}

TEST(Duration, PartsAddUp)
{
	EXPECT_EQ(duration("1min 30s"), 90s);
	EXPECT_EQ(duration("1h2m3s"), 3723s);
	// "1min 30" could be 30 seconds or a slip; it is not guessed.
	EXPECT_FALSE(parse_duration("1min 30"));
	EXPECT_FALSE(parse_duration("30 1min"));
}

TEST(Duration, FractionsAreExactOrRefused)
{
	EXPECT_EQ(duration("1.5ms"), 1500us);
	EXPECT_EQ(duration("0.000000001s"), 1ns);
	// Half a nanosecond would be rounded; a budget is never rounded silently.
	EXPECT_FALSE(parse_duration("1.5ns"));
	EXPECT_FALSE(parse_duration("0.0000000001s"));
}

TEST(Duration, RefusesWhatIsNotADuration)
{
	for (const char* text : {"", " ", "us", "-5s", "+5s", "5 us", "5parsec", "1e3s", "0x10s", "1.s", ".5s", "1..5s",
				 "5s,", "nan", "inf", "12345678901234567890s"})
		EXPECT_FALSE(parse_duration(text)) << "'" << text << "'";
}

TEST(Duration, LimitIsTheLastThatFits)
{
	EXPECT_EQ(duration("9223372036854775807ns").count(), std::numeric_limits<int64_t>::max());
	EXPECT_FALSE(parse_duration("9223372036854775808ns"));
	EXPECT_FALSE(parse_duration("106752d"));
	// Two parts that fit alone must not overflow together.
	EXPECT_FALSE(parse_duration("9223372036s 1s"));
}

TEST(Duration, ErrorNamesTextAndRemedy)
{
	const Error error = parse_duration("5parsec").error();
	EXPECT_EQ(error.code, ExitCode::usage);
	EXPECT_NE(error.what.find("'5parsec'"), std::string::npos) << error.what;
	EXPECT_NE(error.what.find("60us"), std::string::npos) << error.what;
}

TEST(Duration, PrintsTheShortestForm)
{
	EXPECT_EQ(format_duration(0ns), "0s");
	EXPECT_EQ(format_duration(60us), "60us");
	EXPECT_EQ(format_duration(1500us), "1.5ms");
	EXPECT_EQ(format_duration(1s), "1s");
	EXPECT_EQ(format_duration(60s), "1m");
	EXPECT_EQ(format_duration(90s), "90s");
	EXPECT_EQ(format_duration(100s), "100s");  // 1.666...m has no end
	EXPECT_EQ(format_duration(-60us), "-60us");
}

TEST(Duration, PrintedFormReadsBackExactly)
{
	// Also values next to unit borders, where a rounding printer would lose the last digit.
	for (int64_t base_ns : {1L, 999L, 1000L, 59'999'999'999L, 3'600'000'000'000L, 31'556'952'000'000'000L})
		for (int64_t value_ns : {base_ns - 1, base_ns, base_ns + 1})
			EXPECT_EQ(duration(format_duration(Nanoseconds(value_ns))).count(), value_ns);
	EXPECT_EQ(duration(format_duration(Nanoseconds::max())), Nanoseconds::max());
}

TEST(Rate, SuffixesArePowersOfThousand)
{
	EXPECT_EQ(parse_rate("250").value(), 250U);
	EXPECT_EQ(parse_rate("60k").value(), 60'000U);
	EXPECT_EQ(parse_rate("1.5M").value(), 1'500'000U);
	EXPECT_EQ(parse_rate("0.25k").value(), 250U);
}

TEST(Rate, RefusesZeroFractionsAndOverflow)
{
	for (const char* text :
	     {"", "0", "0.1", "-1", "k", "60kk", "60 k", "60pps", "18446744073709551616", "99999999999G"})
		EXPECT_FALSE(parse_rate(text)) << "'" << text << "'";
}

TEST(Size, SuffixesArePowersOf1024)
{
	EXPECT_EQ(parse_size("4096").value(), 4096U);
	EXPECT_EQ(parse_size("512M").value(), 512UL << 20);
	EXPECT_EQ(parse_size("1G").value(), 1UL << 30);
	EXPECT_EQ(parse_size("1.5K").value(), 1536U);
	for (const char* text : {"", "M", "1GB", "-1", "16777216T", "1 G"})
		EXPECT_FALSE(parse_size(text)) << "'" << text << "'";
}

}  // namespace
}  // namespace punctual
