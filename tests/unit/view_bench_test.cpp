// SPDX-License-Identifier: GPL-2.0-only
#include "view/bench_page.h"
#include "view/bench_terms.h"
#include "view/bench_verdict.h"

#include <gtest/gtest.h>

namespace punctual {
namespace {

// An arm whose packets all took `ns`, with `dropped` of 60000 lost and `work` done beside it.
BenchRow arm(std::string name, u64 ns, u64 dropped, double work, u64 budget_ns = 0)
{
	BenchRow row;
	row.name = std::move(name);
	row.offered = 60'000;
	row.dropped = dropped;
	row.latency.record(ns, row.offered - dropped);
	row.window_ns = 1'000'000'000;
	row.background_work = work;
	row.context_switches = 24'310;
	row.packet_cpu_ns = 241'000'000;
	row.background_cpu_ns = 730'000'000;
	row.budget_ns = budget_ns;
	return row;
}

BenchReport report_of(std::vector<BenchRow> rows)
{
	BenchReport report;
	report.rows = std::move(rows);
	return report;
}

const BenchRow kEevdf = arm("eevdf", 4'131'000, 7140, 2000);
const BenchRow kFifo = arm("fifo", 6900, 0, 1100);
const BenchRow kLatency = arm("scx_latency=60us", 49'300, 0, 2020, 60'000);

TEST(BenchVerdict, OfArmsWithinBudgetTheOneThatLeavesMostWorkWins)
{
	BenchReport report = report_of({kEevdf, kFifo, kLatency});
	BenchVerdict verdict = bench_verdict(report);
	ASSERT_TRUE(verdict.best);
	EXPECT_EQ(verdict.best->name, "scx_latency=60us");
	EXPECT_EQ(
	    verdict.headline,
	    "scx_latency=60us keeps 99 % of packets within 49.3 us and loses none, with 1.0 % more background work "
	    "than eevdf.");
	EXPECT_EQ(
	    verdict.lead,
	    "eevdf has a p99 of 4131 us and loses 11.9 % of the packets. Of the arms that keep the 60us budget at p99 "
	    "and lose no packet, it leaves most background work. Also within it: fifo (55 % of the work).");
}

TEST(BenchVerdict, LosingPacketsDisqualifiesHoweverFast)
{
	BenchReport report = report_of({kEevdf, arm("lossy", 1000, 1, 9000), kLatency});
	EXPECT_EQ(bench_verdict(report).best->name, "scx_latency=60us");
}

TEST(BenchVerdict, OneNanosecondOverBudgetIsOver)
{
	BenchReport report = report_of({kEevdf, arm("late", 60'001, 0, 9000), kLatency});
	EXPECT_EQ(bench_verdict(report).best->name, "scx_latency=60us");
	report.rows[1] = arm("on time", 60'000, 0, 9000);
	EXPECT_EQ(bench_verdict(report).best->name, "on time");
}

TEST(BenchVerdict, SaysSoWhenNobodyKeepsTheBudget)
{
	BenchReport report = report_of({kEevdf, arm("scx_latency=5us", 8200, 0, 1040, 5000)});
	BenchVerdict verdict = bench_verdict(report);
	EXPECT_FALSE(verdict.kept);
	EXPECT_EQ(verdict.headline,
		  "No arm keeps the 5us budget. Nearest: scx_latency=5us keeps 99 % of packets within 8.2 us and loses "
		  "none, at the price of 48 % of eevdf's background work.");
}

TEST(BenchVerdict, WithoutBudgetLossCountsFirstThenTheQuantile)
{
	BenchReport report = report_of({kEevdf, arm("slow", 90'000, 0, 1), kFifo, arm("lossy", 10, 600, 1)});
	BenchVerdict verdict = bench_verdict(report);
	EXPECT_EQ(verdict.best->name, "fifo");
	EXPECT_NE(verdict.lead.find("No arm was given a budget"), std::string::npos);
}

TEST(BenchVerdict, InvalidRowsAreNeverJudged)
{
	BenchReport report = report_of({kEevdf, kFifo, kLatency});
	report.rows[2].invalid = "the scheduler was ejected";
	EXPECT_EQ(bench_verdict(report).best->name, "fifo");
	report.rows[0].invalid = report.rows[1].invalid = "generator too slow";
	EXPECT_EQ(bench_verdict(report).best, nullptr);
	EXPECT_NE(bench_html(report).find("No arm gave a result that can be judged."), std::string::npos);
	EXPECT_NE(bench_text(report).find("fifo is invalid and not judged: generator too slow"), std::string::npos);
}

TEST(BenchVerdict, JudgesAtTheQuantileThatWasNamed)
{
	BenchRow tailed = arm("tailed", 40'000, 0, 9000);
	tailed.latency.record(70'000, 300);  // 0.5 % of packets: p99 within the budget, p99.9 not
	BenchReport report = report_of({kEevdf, tailed, kLatency});
	EXPECT_EQ(bench_verdict(report).best->name, "tailed");
	report.judged_at = 0.999;
	EXPECT_EQ(bench_verdict(report).best->name, "scx_latency=60us");
	EXPECT_NE(bench_verdict(report).headline.find("99.9 % of packets"), std::string::npos);
}

TEST(BenchVerdict, NoBackgroundWorkIsNoComparison)
{
	BenchReport report = report_of({arm("eevdf", 4'131'000, 0, 0), kLatency});
	EXPECT_EQ(bench_verdict(report).headline,
		  "scx_latency=60us keeps 99 % of packets within 49.3 us and loses none.");
	EXPECT_EQ(bench_html(report).find("nan"), std::string::npos);
}

TEST(BenchText, ShowsTheRowsAndTheFinding)
{
	BenchReport report = report_of({kEevdf, kLatency});
	report.load = {{"rate", "60k"}, {"ring", "256"}};
	std::string text = bench_text(report);
	EXPECT_TRUE(
	    text.starts_with("rate 60k, ring 256\n"
			     "\n"
			     "arm               p50 us  p99 us  p99.9 us  max us  drop %  background %  switches/s  "
			     "packet CPU %  background CPU %\n"
			     "eevdf               4131    4131      4131    4131    11.9           100      24,310     "
			     "     24.1              73.0\n"
			     "scx_latency=60us    49.3    49.3      49.3    49.3       0           101      24,310     "
			     "     24.1              73.0\n"
			     "\n"
			     "scx_latency=60us keeps 99 % of packets within 49.3 us and loses none, with 1.0 % more "
			     "background work than eevdf.\n"))
	    << text;
}

TEST(BenchText, TheCostOfACycleIsShownOnlyWhereItIsKnown)
{
	BenchReport report = report_of({kEevdf, kLatency});
	EXPECT_EQ(bench_text(report).find("cycle"), std::string::npos);
	report.rows[1].cycle_ns = 4'312;
	const std::string text = bench_text(report);
	EXPECT_NE(text.find("cycle ns"), std::string::npos);
	EXPECT_NE(text.find("4312\n"), std::string::npos);
}

TEST(BenchText, NamesThatArmsShareKeepTheirColour)
{
	BenchReport report = report_of({kEevdf, kLatency, kEevdf});
	std::string html = bench_html(report);
	EXPECT_EQ(html.find("k2\"></i>"), std::string::npos);  // an A/A arm is not a third thing
	EXPECT_NE(html.find("k1\"></i>"), std::string::npos);
}

TEST(BenchNotes, SmallRunsAndLossAreCalledOut)
{
	std::string text = bench_text(report_of({kEevdf}));
	EXPECT_NE(text.find("take it as approximate"), std::string::npos);
	EXPECT_NE(text.find("A dropped packet has no latency"), std::string::npos);
	BenchRow long_run = arm("fifo", 6900, 0, 1);
	long_run.latency.record(6900, 1'000'000);
	text = bench_text(report_of({long_run}));
	EXPECT_EQ(text.find("take it as approximate"), std::string::npos);
	EXPECT_EQ(text.find("A dropped packet has no latency"), std::string::npos);
}

BenchRow arm_of_starts(std::string name, const std::vector<u64>& each_ns, u64 budget_ns = 0)
{
	BenchRow row = arm(std::move(name), 1, 0, 2000, budget_ns);
	row.latency = {};
	for (u64 ns : each_ns) {
		const BenchRow one = arm("", ns, 0, 2000);
		row.latency.merge(one.latency);
		row.runs.push_back({one.latency, one.offered, one.dropped, one.background_work});
	}
	return row;
}

TEST(BenchStartsReport, TheSpreadIsShownAndTheWorstStartIsJudged)
{
	BenchReport report = report_of({arm_of_starts("eevdf", {4'000'000, 5'000'000, 4'500'000}),
					arm_of_starts("scx_latency=60us", {50'000, 61'000, 52'000}, 60'000)});
	report.comparisons = {
	    {"scx_latency=60us", "p99", 0.012, 0.011, 0.013, true, 0.25, "inconclusive", "few pairs"}};
	report.noise_floor = "eevdf against itself: 3 %.";
	const std::string text = bench_text(report);
	EXPECT_NE(text.find("52.0 (50.0-61.0)"), std::string::npos) << text;
	EXPECT_NE(text.find("No arm keeps the 60us budget"), std::string::npos);  // 61 us in one start of three
	EXPECT_NE(text.find("Against eevdf, by 3 pairs of runs"), std::string::npos);
	EXPECT_NE(text.find("0.012x"), std::string::npos);
	EXPECT_NE(text.find("eevdf against itself: 3 %."), std::string::npos);
	EXPECT_NE(text.find("scx_latency=60us, p99: few pairs"), std::string::npos);
	EXPECT_EQ(text.find("One run an arm"), std::string::npos);
	EXPECT_NE(bench_html(report).find("by 3 pairs of runs"), std::string::npos);
}

// Of the runs: medians 50, 52 and 61 us; each has one packet of 200 us in 20, and its shortest 10 us below its median.
TEST(BenchTerms, TypicalWorstCaseAndPdvAreOfEachRun)
{
	BenchReport report = report_of({arm_of_starts("eevdf", {50'000, 61'000, 52'000})});
	for (BenchRun& run : report.rows[0].runs) {
		run.latency.record(200'000, run.latency.count() / 19);
		run.latency.record(run.latency.min_ns() - 10'000);
	}
	const Table table = rfc8219_table(report);
	ASSERT_EQ(table.rows.size(), 1U);
	EXPECT_EQ(table.rows[0].cells[1].text, "52.3 (50.2-61.2)");  // upper ends of buckets
	EXPECT_EQ(table.rows[0].cells[2].text, "200 (200-200)");
	EXPECT_EQ(table.rows[0].cells[3].text, "158 (149-160)");
	EXPECT_NE(bench_text(report).find("asks for 20 runs, these are 3"), std::string::npos);
}

TEST(BenchTerms, OneRunHasNone)
{
	EXPECT_TRUE(rfc8219_table(report_of({kEevdf})).rows.empty());
	EXPECT_EQ(bench_text(report_of({kEevdf})).find("RFC 8219"), std::string::npos);
}

}  // namespace
}  // namespace punctual
