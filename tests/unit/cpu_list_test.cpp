// SPDX-License-Identifier: GPL-2.0-only
#include "base/cpu_list.h"

#include <gtest/gtest.h>

namespace punctual {
namespace {

std::string canonical(std::string_view text)
{
	Result<CpuList> list = CpuList::parse(text);
	return list ? list->text() : "error";
}

TEST(CpuList, PrintsTheKernelsForm)
{
	EXPECT_EQ(canonical("0"), "0");
	EXPECT_EQ(canonical("0-3,8"), "0-3,8");
	EXPECT_EQ(canonical("8,1,0"), "0-1,8");
	EXPECT_EQ(canonical("0,1,2,3"), "0-3");
	EXPECT_EQ(canonical("5-5"), "5");
	EXPECT_EQ(canonical("0-1023"), "0-1023");
}

TEST(CpuList, RepeatsCountOnce)
{
	const CpuList list = CpuList::parse("1,1,0-2,2").value();
	EXPECT_EQ(list.size(), 3U);
	EXPECT_EQ(list.text(), "0-2");
}

TEST(CpuList, StrideTakesTheFirstOfEachGroup)
{
	EXPECT_EQ(canonical("0-15:2/4"), "0-1,4-5,8-9,12-13");
	EXPECT_EQ(canonical("1-7:1/2"), "1,3,5,7");
	EXPECT_EQ(canonical("0-3:4/4"), "0-3");
}

TEST(CpuList, RefusesWhatTheKernelWouldRefuse)
{
	for (const char* text : {"",        ",",     "0,",  ",0",          "3-1",   "-1",      "0-",
				 "a",       "0 1",   " 0",  "0-3:",        "0-3:2", "0-3:0/2", "0-3:3/2",
				 "0-3:2/0", "0:1/2", "1.5", "99999999999", "all",   "0x3",     "+1"})
		EXPECT_EQ(canonical(text), "error") << "'" << text << "'";
}

TEST(CpuList, LargestCpuIsBelowTheLimit)
{
	EXPECT_EQ(canonical("1023"), "1023");
	const Result<CpuList> beyond = CpuList::parse("0-1024");
	ASSERT_FALSE(beyond);
	EXPECT_EQ(beyond.error().code, ExitCode::usage);
	// Refused before it is expanded: a typing slip must not cost memory.
	EXPECT_EQ(canonical("0-2147483647"), "error");
}

TEST(CpuList, ContainsOnlyWhatWasAdded)
{
	CpuList list;
	EXPECT_TRUE(list.empty());
	list.add(7);
	list.add(3);
	EXPECT_TRUE(list.contains(3));
	EXPECT_TRUE(list.contains(7));
	EXPECT_FALSE(list.contains(5));
	EXPECT_EQ(list.text(), "3,7");
}

TEST(CpuList, OnlineIsPartOfPossible)
{
	const CpuList possible = CpuList::possible().value();
	const CpuList online = CpuList::online().value();
	EXPECT_FALSE(online.empty());
	for (const int cpu : online.cpus())
		EXPECT_TRUE(possible.contains(cpu)) << cpu;
}

TEST(CpusOfThisMachine, RefusesCpusItDoesNotHave)
{
	EXPECT_EQ(cpus_of_this_machine("all").value().text(), CpuList::possible().value().text());
	const int last = CpuList::possible().value().cpus().back();
	if (last + 1 == CpuList::kCpusMax)
		GTEST_SKIP() << "every CPU number is possible here";
	const Result<CpuList> beyond = cpus_of_this_machine(std::to_string(last + 1));
	ASSERT_FALSE(beyond);
	EXPECT_EQ(beyond.error().code, ExitCode::usage);
}

}  // namespace
}  // namespace punctual
