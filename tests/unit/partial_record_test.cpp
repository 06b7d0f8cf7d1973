// SPDX-License-Identifier: GPL-2.0-only
#include "scope/partial_record.h"

#include <sched.h>

#include <gtest/gtest.h>

namespace punctual {
namespace {

PartialRecord example()
{
	return {.pid = 42,
		.start_ticks = 123456789012ULL,
		.slices = {"/sys/fs/cgroup/vnf.slice"},
		.files = {{"/sys/fs/cgroup/vnf.slice/cpuset.cpus.exclusive", "", "2-3"},
			  {"/sys/fs/cgroup/vnf.slice/cpuset.cpus.partition", "member", "root"}},
		.threads = {{50, {50, 7, SCHED_BATCH}}, {51, {51, 8, SCHED_OTHER}}},
		.others = {{60, 9, 7}}};
}

std::string replaced(std::string_view what, std::string_view by)
{
	std::string text = record_text(example());
	size_t at = text.find(what);
	EXPECT_NE(at, std::string::npos) << what;
	return text.replace(at, what.size(), by);
}

std::string refusal(std::string_view text)
{
	auto record = parse_record(text);
	EXPECT_FALSE(record) << text;
	return record ? "" : record.error().what;
}

TEST(PartialRecord, SurvivesTheFile)
{
	EXPECT_EQ(parse_record(record_text(example())).value(), example());
}

TEST(PartialRecord, EveryTruncationIsNoticed)
{
	const std::string text = record_text(example());
	for (size_t length = 0; length + 2 < text.size(); length++)  // the last two: "}\n"
		EXPECT_FALSE(parse_record(text.substr(0, length))) << length;
}

TEST(PartialRecord, RefusalNamesWhatIsWrong)
{
	EXPECT_NE(refusal(replaced("\"tid\": 50", "\"tid\": -50")).find("tid"), std::string::npos);
	EXPECT_NE(refusal(replaced("\"pid\": 42", "\"pid\": \"42\"")).find("pid"), std::string::npos);
	EXPECT_NE(refusal(replaced("\"threads\"", "\"thread\"")).find("threads"), std::string::npos);
	EXPECT_NE(refusal(replaced("\"version\": 1", "\"version\": 2")).find("version"), std::string::npos);
	EXPECT_NE(refusal("[]").find("schema"), std::string::npos);
}

TEST(PartialRecord, RootWritesToNothingElseThanCpusetFiles)
{
	EXPECT_NE(refusal(replaced("cpuset.cpus.partition", "cgroup.kill")).find("cgroup.kill"), std::string::npos);
	EXPECT_NE(refusal(replaced("vnf.slice/cpuset.cpus.partition", "../cpuset.cpus.partition")), "");
	EXPECT_NE(refusal(replaced("/sys/fs/cgroup/vnf.slice/cpuset.cpus.partition", "cpuset.cpus.partition")), "");
}

TEST(PartialRecord, NoPolicyThatPartialModeNeverRecords)
{
	EXPECT_NE(refusal(replaced("\"policy\": 3", "\"policy\": 1")), "");  // SCHED_FIFO
}

}  // namespace
}  // namespace punctual
