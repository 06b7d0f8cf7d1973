// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bench/result_json.h"

namespace punctual {
namespace {

ArmResult some_arm(std::string name, uint64_t work)
{
	ArmResult arm;
	arm.name = std::move(name);
	for (u64 i = 1; i <= 1000; i++)
		arm.latency.record(i * 977);
	arm.offered = 1010;
	arm.dropped = 10;
	arm.window_ns = 1'000'000'000;
	arm.background_work = work;
	arm.vnf_voluntary_switches = 3;
	arm.background_involuntary_switches = 4;
	arm.budget_ns = 60'000;
	arm.vnf_work_ns = 300'000'000;
	arm.background_work_ns = 699'000'000;
	arm.sleeps = 500;
	arm.waits = 500;
	arm.waits_missed = 1;
	arm.wait_p999_ns = 59'000;
	arm.judged_windows = 10;
	arm.infeasible_windows = 3;
	return arm;
}

BenchResult some_result()
{
	return {{some_arm("eevdf", 200), some_arm("scx_latency=60us", 210)}, {{"kernel", "6.18"}, {"hz", "250"}}};
}

TEST(BenchJson, ReadingBackGivesTheSameDocument)
{
	const std::string text = bench_to_json(some_result());
	EXPECT_EQ(bench_to_json(bench_from_json(text).value()), text);
}

TEST(BenchJson, TheDocumentHasTheKeysThatScriptsRelyOn)
{
	const auto json = nlohmann::json::parse(bench_to_json(some_result()));
	EXPECT_EQ(json["schema"], "punctual.bench");
	EXPECT_EQ(json["version"], 1);
	const auto& arm = json["arms"][1];
	EXPECT_EQ(arm["name"], "scx_latency=60us");
	EXPECT_EQ(arm["max_ns"], 977'000);
	EXPECT_EQ(arm["offered"], 1010);
	EXPECT_EQ(arm["dropped"], 10);
	EXPECT_EQ(arm["lost"], 0);
	EXPECT_EQ(arm["context_switches"], 7);
	EXPECT_EQ(arm["background_work"], 210);
	EXPECT_DOUBLE_EQ(arm["background_relative"], 1.05);
	EXPECT_EQ(arm["cycle_ns"], 2000);
	EXPECT_EQ(arm["waits"], 500);
	EXPECT_EQ(arm["waits_missed"], 1);
	EXPECT_EQ(arm["wait_p999_ns"], 59'000);
	EXPECT_EQ(arm["judged_windows"], 10);
	EXPECT_EQ(arm["infeasible_windows"], 3);
	EXPECT_LE(arm["p50_ns"], arm["p99_ns"]);
	EXPECT_LE(arm["p99_ns"], arm["p999_ns"]);
	EXPECT_EQ(json["environment"]["kernel"], "6.18");
}

TEST(BenchJson, BackgroundIsComparedAsARateNotAsASum)
{
	BenchResult result = some_result();
	result.arms[1].window_ns = 2'000'000'000;
	EXPECT_DOUBLE_EQ(background_relative(result, 1), 0.525);
	result.arms[0].background_work = 0;
	EXPECT_EQ(background_relative(result, 1), 0);  // not infinity: JSON has no such number
}

TEST(BenchJson, FiguresThatDoNotAddUpAreRefused)
{
	BenchResult result = some_result();
	result.arms[0].offered++;
	EXPECT_NE(bench_from_json(bench_to_json(result)).error().what.find("eevdf"), std::string::npos);
}

TEST(BenchJson, OtherDocumentsAreRefused)
{
	for (const char* text : {"", "{", "[]", "{}", "null", R"({"schema":"punctual.runq","version":1,"arms":[]})",
				 R"({"schema":"punctual.bench","version":2,"arms":[],"environment":{}})",
				 R"({"schema":"punctual.bench","version":1,"arms":[{"name":1}],"environment":{}})"})
		EXPECT_FALSE(bench_from_json(text)) << text;
}

TEST(BenchJson, NamesThatAreNotUtf8DoNotBreakTheDocument)
{
	BenchResult result = some_result();
	result.arms[0].name = "\xff\xfe.bpf.o";
	EXPECT_TRUE(bench_from_json(bench_to_json(result)));
}

}  // namespace
}  // namespace punctual
