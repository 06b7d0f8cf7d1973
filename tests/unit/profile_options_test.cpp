// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include <gtest/gtest.h>

#include "cli/profile_options.h"

namespace punctual {
namespace {

Result<ProfilePlan> plan_of(std::vector<std::string> arguments)
{
	CLI::App app;
	ProfileOptions options;
	declare_profile_options(*app.add_subcommand("profile"), &options);
	std::ranges::reverse(arguments);
	arguments.emplace_back("profile");
	app.parse(arguments);
	return profile_plan(options);
}

std::string error_of(std::vector<std::string> arguments)
{
	const auto plan = plan_of(std::move(arguments));
	return plan ? "" : (plan.error().code == ExitCode::usage ? plan.error().what : "not a usage error");
}

TEST(ProfileOptions, WithoutAnyItIsTenSecondsOfTheScheduler)
{
	const ProfilePlan plan = plan_of({}).value();
	EXPECT_EQ(plan.duration, std::chrono::seconds(10));
	EXPECT_EQ(plan.frequency_hz, 997u);
	EXPECT_EQ(plan.cpus.cpus(), CpuList::online().value().cpus());
	EXPECT_TRUE(plan.programs.empty());
}

TEST(ProfileOptions, ProgramsAreIdsEachOnce)
{
	EXPECT_EQ(plan_of({"-p", "7", "-p", "5", "-p", "7"})->programs, (std::vector<u32>{5, 7}));
	for (const char* wrong : {"0", "x", "7x", "-1", "4294967296", ""})
		EXPECT_NE(error_of({std::string("-p=") + wrong}).find("bpftool"), std::string::npos) << wrong;
}

TEST(ProfileOptions, FileNameTellsTheKindOfFile)
{
	EXPECT_FALSE(plan_of({"-o", "a.html"})->out_is_svg);
	EXPECT_TRUE(plan_of({"-o", "a.svg"})->out_is_svg);
	EXPECT_NE(error_of({"-o", "a.png"}).find(".html"), std::string::npos);
}

TEST(ProfileOptions, MistakesAreNamed)
{
	for (const char* wrong : {"0", "1ms", "25h", "x", ""})
		EXPECT_NE(error_of({std::string("-d=") + wrong}), "") << wrong;
	for (const char* wrong : {"0", "10001", "x", ""})
		EXPECT_NE(error_of({std::string("-f=") + wrong}), "") << wrong;
	EXPECT_NE(error_of({"-C", "1023"}).find("1023"), std::string::npos);
}

}  // namespace
}  // namespace punctual
