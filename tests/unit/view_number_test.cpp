// SPDX-License-Identifier: GPL-2.0-only
#include "view/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace punctual {
namespace {

TEST(Number, MicrosecondsHaveTheDigitsThatMatter)
{
	EXPECT_EQ(us_text(0), "0");
	EXPECT_EQ(us_text(4), "0.004");
	EXPECT_EQ(us_text(850), "0.85");
	EXPECT_EQ(us_text(8100), "8.1");
	EXPECT_EQ(us_text(49'300), "49.3");
	EXPECT_EQ(us_text(99'900), "99.9");
	EXPECT_EQ(us_text(100'000), "100");
	EXPECT_EQ(us_text(4'131'000), "4131");
	EXPECT_EQ(us_text(16'909'000), "16,909");
}

TEST(Number, WaitOverBudgetNeverLooksWithinIt)
{
	EXPECT_EQ(us_text(60'000), "60.0");
	EXPECT_EQ(us_text(60'001), "60.1");
	EXPECT_EQ(us_text(99'901), "100");
	EXPECT_EQ(us_text(1'000'001), "1001");
	EXPECT_EQ(us_text(~0ULL), "18,446,744,073,709,552");
}

TEST(Number, SomethingIsNeverPrintedAsNothing)
{
	std::mt19937_64 random(1);
	for (int i = 0; i < 2000; ++i) {
		uint64_t whole = (random() >> (random() % 63)) + 2, part = 1 + random() % (whole - 1);
		std::string text = percent_text(part, whole);
		EXPECT_NE(text.find_first_of("123456789"), std::string::npos) << part << " of " << whole;
		EXPECT_NE(text, "100") << part << " of " << whole;
		EXPECT_NE(text, "100.0") << part << " of " << whole;
	}
}

TEST(Number, PercentKeepsTwoDigitsOfSmallShares)
{
	EXPECT_EQ(percent_text(0, 60000), "0");
	EXPECT_EQ(percent_text(1, 60000), "0.0017");
	EXPECT_EQ(percent_text(1, 1'000'000'000), "<0.0001");
	EXPECT_EQ(percent_text(1260, 60000), "2.1");
	EXPECT_EQ(percent_text(7140, 60000), "11.9");
	EXPECT_EQ(percent_text(59'999, 60000), ">99.9");
	EXPECT_EQ(percent_text(60000, 60000), "100");
	EXPECT_EQ(percent_text(173, 100), "173.0");  // CPU time of two CPUs
	EXPECT_EQ(percent_text(0, 0), "-");
}

TEST(Number, SmallPercentDoesNotRoundUpIntoAnotherDigit)
{
	EXPECT_EQ(percent_text(9'999, 1'000'000), "1.0");  // not 1.00, as its neighbours read 0.99 and 1.1
	EXPECT_EQ(percent_text(9'900, 1'000'000), "0.99");
}

TEST(Number, RatioIsWholePercentUnlessSmall)
{
	EXPECT_EQ(relative_text(1), "100");
	EXPECT_EQ(relative_text(1.0149), "101");
	EXPECT_EQ(relative_text(0.434), "43");
	EXPECT_EQ(relative_text(0.0994), "9.9");
	EXPECT_EQ(relative_text(0.0996), "10");
	EXPECT_EQ(relative_text(0.004), "0.40");
	EXPECT_EQ(relative_text(0), "0");
	EXPECT_EQ(relative_text(std::nan("")), "-");
	EXPECT_EQ(relative_text(HUGE_VAL), "-");
	EXPECT_EQ(relative_text(-0.5), "-");
}

TEST(Number, CountsAreGroupedFromFiveDigitsOn)
{
	EXPECT_EQ(count_text(0), "0");
	EXPECT_EQ(count_text(9512), "9512");
	EXPECT_EQ(count_text(60000), "60,000");
	EXPECT_EQ(count_text(123456), "123,456");
	EXPECT_EQ(count_text(1234567), "1,234,567");
	EXPECT_EQ(count_text(~0ULL), "18,446,744,073,709,551,615");
}

TEST(Number, BudgetReadsAsItsOperatorWroteIt)
{
	EXPECT_EQ(budget_text(60'000), "60us");
	EXPECT_EQ(budget_text(1'500'000), "1.5ms");
	EXPECT_FALSE(budget_text(~0ULL).starts_with('-'));
}

}  // namespace
}  // namespace punctual
