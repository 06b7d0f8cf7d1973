// SPDX-License-Identifier: GPL-2.0-only
#include "scope/budget_option.h"

#include <gtest/gtest.h>

#include "abi/sched.h"
#include "base/units.h"

namespace punctual {
namespace {

std::string refusal(std::string_view text)
{
	Result<Budget> budget = parse_budget(text);
	EXPECT_FALSE(budget) << text;
	return budget ? "" : budget.error().what;
}

TEST(BudgetOption, LimitsAreThoseOfTheKernelSide)
{
	const auto accepted = [](u64 budget_ns) {
		return parse_budget_duration(format_duration(Nanoseconds(budget_ns)), "a.slice").has_value();
	};
	EXPECT_TRUE(accepted(BUDGET_NS_MIN));
	EXPECT_FALSE(accepted(BUDGET_NS_MIN - 1));  // 0 above all: the kernel side takes it for "no budget"
	EXPECT_TRUE(accepted(BUDGET_NS_MAX));
	EXPECT_FALSE(accepted(BUDGET_NS_MAX + 1));
}

TEST(BudgetOption, RefusalNamesTheCgroupAndTheLimits)
{
	const auto refused = parse_budget_duration("0s", "a.slice");
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ExitCode::usage);
	for (const char* part : {"a.slice", "0s", "1us", "1s"})
		EXPECT_NE(refused.error().what.find(part), std::string::npos) << refused.error().what;
}

TEST(BudgetOption, BothSidesOfTheEqualsSignAreNeeded)
{
	for (const char* text : {"", "a.slice", "=60us", "60us"})
		EXPECT_NE(refusal(text).find("CGROUP=DURATION"), std::string::npos) << text;
	EXPECT_NE(refusal("a.slice=").find("duration"), std::string::npos);
}

TEST(BudgetOption, NameMayHoldAnEqualsSign)
{
	// No such cgroup, but that is the complaint, and not that "b=60us" is no duration.
	EXPECT_EQ(refusal("no-such/a=b=60us").find("duration"), std::string::npos);
}

TEST(BudgetOption, BareNumberOfAnAttributeIsNanoseconds)
{
	EXPECT_EQ(parse_latency_attribute("60000", "a.slice"), Nanoseconds(60'000));
	EXPECT_EQ(parse_latency_attribute("60us", "a.slice"), Nanoseconds(60'000));
	for (const char* text : {"", "999", "1000000001", "-60000", "60000 ", "60000\n", "x", "99999999999999999999"}) {
		const auto refused = parse_latency_attribute(text, "a.slice");
		ASSERT_FALSE(refused) << text;
		EXPECT_NE(refused.error().what.find("a.slice"), std::string::npos);
	}
}

TEST(BudgetOption, PercentageIsAWholeNumberWithinItsLimits)
{
	EXPECT_EQ(parse_percent("10%", "floor", 1, 90), 10U);
	EXPECT_EQ(parse_percent("90", "floor", 1, 90), 90U);
	for (const char* text : {"", "%", "0%", "91%", "1.5%", "-1%", "10%%", " 10%", "4294967297%"}) {
		const auto refused = parse_percent(text, "floor", 1, 90);
		ASSERT_FALSE(refused) << text;
		EXPECT_EQ(refused.error().code, ExitCode::usage);
		EXPECT_NE(refused.error().what.find("floor"), std::string::npos);
	}
}

TEST(BudgetOption, CapIsAtMostTheWholeMachine)
{
	EXPECT_TRUE(parse_cap_percent("100%", "a.slice"));
	EXPECT_FALSE(parse_cap_percent("102401%", "a.slice"));  // of more CPUs than there can be
	EXPECT_FALSE(parse_cap_percent("0%", "a.slice"));
}

TEST(BudgetOption, CgroupThatDoesNotExistIsRefused)
{
	const Result<Budget> budget = parse_budget("no-such-cgroup.slice=60us");
	ASSERT_FALSE(budget);  // lacking where cgroup version 2 is not mounted
	EXPECT_TRUE(budget.error().code == ExitCode::usage || budget.error().code == ExitCode::lacking);
}

}  // namespace
}  // namespace punctual
