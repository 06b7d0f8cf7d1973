// SPDX-License-Identifier: GPL-2.0-only
#include "scope/latency_attribute.h"

#include <gtest/gtest.h>

namespace punctual {
namespace {

using std::chrono::microseconds;

constexpr uint64_t kId = 42;
const std::string kDirectory = "/sys/fs/cgroup/vnf.slice";

LatencyAttributes attribute(const std::string& value, bool is_roots = true)
{
	return {{kDirectory, {kId, value, is_roots}}};
}

std::vector<BudgetRow> row(BudgetSource source, microseconds latency)
{
	return {{.cgroup_id = kId, .latency = latency, .source = source}};
}

AttributeVerdict only(const std::vector<AttributeVerdict>& verdicts)
{
	EXPECT_EQ(verdicts.size(), 1U);
	return verdicts.empty() ? AttributeVerdict{} : verdicts.front();
}

TEST(LatencyAttribute, GivesABudgetAndChangesIt)
{
	for (const auto& rows : {std::vector<BudgetRow>{}, row(BudgetSource::attribute, microseconds(50))}) {
		const AttributeVerdict verdict = only(judge_attributes(attribute("60000"), rows));
		EXPECT_EQ(verdict.kind, AttributeVerdict::set);
		EXPECT_EQ(verdict.budget.cgroup, kDirectory);
		EXPECT_EQ(verdict.budget.latency, microseconds(60));
		EXPECT_EQ(verdict.budget.source, BudgetSource::attribute);
	}
}

TEST(LatencyAttribute, ThatHasItsWayGivesNoVerdict)
{
	const auto rows = row(BudgetSource::attribute, microseconds(60));
	EXPECT_TRUE(judge_attributes(attribute("60us"), rows).empty());
}

TEST(LatencyAttribute, YieldsToABudgetThatWasGiven)
{
	const auto rows = row(BudgetSource::given, microseconds(50));
	const AttributeVerdict verdict = only(judge_attributes(attribute("60000"), rows));
	EXPECT_EQ(verdict.kind, AttributeVerdict::nothing);
	EXPECT_NE(verdict.line.find("50us"), std::string::npos);
}

TEST(LatencyAttribute, InvalidValueIsNamedAndTheOldBudgetStays)
{
	const auto rows = row(BudgetSource::attribute, microseconds(60));
	const AttributeVerdict verdict = only(judge_attributes(attribute("sixty"), rows));
	EXPECT_EQ(verdict.kind, AttributeVerdict::nothing);
	for (const char* part : {"vnf.slice", "sixty", "user.latency_ns", "old budget stays"})
		EXPECT_NE(verdict.line.find(part), std::string::npos) << verdict.line;
}

TEST(LatencyAttribute, RemovedAttributeTakesItsBudgetAlong)
{
	const AttributeVerdict verdict = only(judge_attributes({}, row(BudgetSource::attribute, microseconds(60))));
	EXPECT_EQ(verdict.kind, AttributeVerdict::clear);
	EXPECT_EQ(verdict.cgroup_id, kId);
	EXPECT_TRUE(judge_attributes({}, row(BudgetSource::given, microseconds(60))).empty());
}

TEST(LatencyAttribute, OwnerOfADelegatedCgroupCannotTakeTheCpu)
{
	const AttributeVerdict verdict = only(judge_attributes(attribute("60000", false), {}));
	EXPECT_EQ(verdict.kind, AttributeVerdict::nothing);
	EXPECT_NE(verdict.line.find("root"), std::string::npos);
}

}  // namespace
}  // namespace punctual
