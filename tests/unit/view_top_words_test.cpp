// SPDX-License-Identifier: GPL-2.0-only
#include "view/top_words.h"

#include <gtest/gtest.h>

namespace punctual {
namespace {

TEST(TopWords, WaitsFromASecondOnHaveTheirUnitAndRoundUp)
{
	EXPECT_EQ(wait_text(0), "0");
	EXPECT_EQ(wait_text(999999000), "999,999");
	EXPECT_EQ(wait_text(999999001), "1.000s");
	EXPECT_EQ(wait_text(1551000001), "1.552s");
	EXPECT_EQ(wait_text(99999000000), "99.999s");
	EXPECT_EQ(wait_text(123400000001), "123.5s");
	EXPECT_LE(wait_text(86400ULL * 1000000000).size(), 8U);
}

TEST(TopWords, CountsStayShort)
{
	EXPECT_EQ(short_count(9999999), "9,999,999");
	EXPECT_EQ(short_count(10000000), "10.0M");
	EXPECT_EQ(short_count(12345000000), "12.3G");
}

TEST(TopWords, LongPathsKeepTheirEnd)
{
	EXPECT_EQ(tail_of("/a/b", 4), "/a/b");
	EXPECT_EQ(tail_of("/kubepods.slice/pod42", 8), "...pod42");
	EXPECT_EQ(tail_of("数据数据", 6), "...据");  // half of a wide one is none
	EXPECT_EQ(tail_of("abcdee\xcc\x81\xcc\x81xy", 5), "...xy");
	EXPECT_EQ(tail_of("\x1b[2J", 7), "\\x1b[2J");
}

TEST(TopWords, ShortNamesLackWhatSystemdAppends)
{
	EXPECT_EQ(short_cgroup("/a.slice/b.service"), "b");
	EXPECT_EQ(short_cgroup("/"), "/");
	EXPECT_EQ(short_cgroup("/.slice"), ".slice");
}

TEST(TopWords, AgesAndRates)
{
	EXPECT_EQ(age_text(59999999999), "59s");
	EXPECT_EQ(age_text(723000000000), "12m 3s");
	EXPECT_EQ(age_text(3723000000000), "1h 2m");
	EXPECT_EQ(age_text(100ULL * 3600 * 1000000000), "4d 4h");
	EXPECT_EQ(rate_text(5, 0), "-");
	EXPECT_EQ(rate_text(0, 1000), "0");
	EXPECT_EQ(rate_text(1, 100ULL * 1000000000), "<0.1");
	EXPECT_EQ(rate_text(24690, 2000000000), "12,345");
}

}  // namespace
}  // namespace punctual
