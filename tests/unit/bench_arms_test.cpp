// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "bench/arms.h"

namespace punctual {
namespace {

std::string refusal(std::string_view text)
{
	const Result<std::vector<Arm>> arms = parse_arms(text);
	EXPECT_FALSE(arms) << text;
	if (arms)
		return "";
	EXPECT_EQ(arms.error().code, ExitCode::usage) << text;
	return arms.error().what;
}

TEST(Arms, AllArmsAreReadInTheirOrder)
{
	const std::vector<Arm> arms = parse_arms(kAllArms).value();
	ASSERT_EQ(arms.size(), 9u);
	EXPECT_EQ(arms[0].kind, ArmKind::eevdf);
	EXPECT_EQ(arms[1].kind, ArmKind::eevdf_slice);
	EXPECT_EQ(arms[2].kind, ArmKind::eevdf_weight);
	EXPECT_EQ(arms[3].kind, ArmKind::eevdf_nice);
	EXPECT_EQ(arms[4].kind, ArmKind::eevdf_idle);
	EXPECT_EQ(arms[5].kind, ArmKind::fifo);
	EXPECT_EQ(arms[6].kind, ArmKind::deadline);
	EXPECT_EQ(arms[7].scheduler, "scx_simple");
	EXPECT_EQ(arms[8].scheduler, "scx_latency");
	EXPECT_EQ(arms[8].budget, std::chrono::microseconds(60));
	EXPECT_EQ(arms[8].name, "scx_latency=60us");
}

TEST(Arms, AnArmMayBeNamedTwice)
{
	const std::vector<Arm> arms = parse_arms("eevdf,eevdf").value();
	ASSERT_EQ(arms.size(), 2u);
	EXPECT_EQ(arms[0].name, arms[1].name);
}

TEST(Arms, CpusOfItsOwnTakeTwo)
{
	const Arm arm = parse_arms("cpuset").value()[0];
	EXPECT_EQ(arm.kind, ArmKind::cpuset);
	const Status refused = refuse_too_few_cpus(arm, CpuList::parse("3").value());
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ExitCode::usage);
	EXPECT_NE(refused.error().what.find("--cpus"), std::string::npos) << refused.error().what;
	EXPECT_TRUE(refuse_too_few_cpus(arm, CpuList::parse("0-1").value()));
	EXPECT_TRUE(refuse_too_few_cpus(parse_arms("eevdf").value()[0], CpuList::parse("3").value()));
}

TEST(Arms, AnyObjectFileIsAnArm)
{
	const Arm arm = parse_arms("../theirs/scx_other.bpf.o").value()[0];
	EXPECT_EQ(arm.kind, ArmKind::scheduler);
	EXPECT_EQ(arm.scheduler, "../theirs/scx_other.bpf.o");
	EXPECT_TRUE(arm.is_object_file());
	EXPECT_FALSE(parse_arms("scx_simple").value()[0].is_object_file());
}

TEST(Arms, AnUnknownArmIsNamedTogetherWithTheChoices)
{
	const std::string what = refusal("eevdf,cfs");
	EXPECT_NE(what.find("'cfs'"), std::string::npos) << what;
	EXPECT_NE(what.find("scx_latency=DURATION"), std::string::npos) << what;
}

TEST(Arms, EmptyArmsAreRefused)
{
	refusal("");
	refusal("eevdf,");
	refusal(",eevdf");
	refusal("eevdf,,fifo");
}

TEST(Arms, ABudgetMustBeThereAndMakeSense)
{
	for (const char* text : {"scx_latency", "scx_latency=", "scx_latency=0", "scx_latency=-1us",
				 "scx_latency=60parsec", "scx_latency=2s", "scx_latency=8760h"})
		EXPECT_NE(refusal(text).find("scx_latency"), std::string::npos) << text;
	EXPECT_EQ(parse_arms("scx_latency=1s").value()[0].budget, std::chrono::seconds(1));
}

TEST(Arms, TheirNumberHasALimit)
{
	std::string text = "eevdf";
	for (int i = 1; i < 65; i++)
		text += ",eevdf";
	refusal(text);
}

}  // namespace
}  // namespace punctual
