// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "bench/alike.h"

namespace punctual {
namespace {

// A boot of the arm `name` that tells one fact of itself.
BenchResult boot(const std::string& name, const std::string& fact, const std::string& value)
{
	BenchResult result;
	result.arms.emplace_back().name = name;
	result.environment = {{"kernel", "6.18"}, {fact, value}};
	return result;
}

bool are_alike(const std::string& fact, const std::string& one, const std::string& other)
{
	return refuse_unlike(boot("a", fact, one), boot("b", fact, other)).has_value();
}

TEST(BenchAlike, TheSameFactsAreAlike)
{
	EXPECT_TRUE(are_alike("seed", "1", "1"));
	EXPECT_TRUE(are_alike("work_loops", "none", "none"));
}

TEST(BenchAlike, ADifferenceIsRefusedWithTheArmsTheFactAndBothValues)
{
	const Status refused = refuse_unlike(boot("eevdf", "python", "3.11"), boot("fifo", "python", "3.12"));
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ExitCode::invalid);
	for (const char* word : {"eevdf", "fifo", "python", "3.11", "3.12"})
		EXPECT_NE(refused.error().what.find(word), std::string::npos) << word;
}

TEST(BenchAlike, OnlyTheLengthOfWorkMayDifferByARounding)
{
	EXPECT_TRUE(are_alike("work_ns", "1000000", "1000009"));
	EXPECT_TRUE(are_alike("work_ns", "1000009", "1000000"));
	EXPECT_FALSE(are_alike("work_ns", "1000000", "1000011"));
	EXPECT_FALSE(are_alike("work_ns", "1000000", "999989"));
	EXPECT_FALSE(are_alike("seed", "1000000", "1000009"));
}

TEST(BenchAlike, WorkThatIsNoNumberOrNothingIsNotAlike)
{
	EXPECT_FALSE(are_alike("work_ns", "long", "short"));
	EXPECT_FALSE(are_alike("work_ns", "0", "1"));
	EXPECT_FALSE(are_alike("work_ns", "1", "0"));
	EXPECT_FALSE(are_alike("work_ns", "-5", "-5.00001"));
}

TEST(BenchAlike, AnotherNameOrNumberOfFactsIsNotAlike)
{
	EXPECT_FALSE(refuse_unlike(boot("a", "work_ns", "5"), boot("b", "work_us", "5")));
	BenchResult more = boot("b", "seed", "1");
	more.environment.emplace_back("cpus", "2");
	EXPECT_FALSE(refuse_unlike(boot("a", "seed", "1"), more));
}

}  // namespace
}  // namespace punctual
