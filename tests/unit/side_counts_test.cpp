// SPDX-License-Identifier: GPL-2.0-only
// Counters of both sides: what a packet costs, and the way through JSON.
#include <gtest/gtest.h>

#include "bench/result_json.h"
#include "bench/side_counts.h"
#include "bench/starts.h"

namespace punctual {
namespace {

EventCounts of_cpu_ms(uint64_t ms)
{
	EventCounts counts;
	counts.values = {1'000'000 * ms, 11, 12, 13, 0, 0, 14};
	counts.supported = 0b100'1111;  // no cycles, no instructions
	counts.scaled = 0b100'0000;
	return counts;
}

BenchResult some_result()
{
	ArmResult arm;
	arm.name = "eevdf";
	for (u64 i = 0; i < 1000; i++)
		arm.latency.record(i);
	arm.offered = 1000;
	arm.window_ns = 1'000'000'000;
	arm.counts = SideCounts{of_cpu_ms(300), of_cpu_ms(600)};
	return {{arm}, {{"kernel", "6.18"}}};
}

TEST(SideCounts, APacketCostsTheCpuTimeOfItsSideOrOfBoth)
{
	const SideCounts counts{of_cpu_ms(300), of_cpu_ms(600)};
	EXPECT_DOUBLE_EQ(vnf_ns_per_packet(counts, 1000), 300'000);
	EXPECT_DOUBLE_EQ(both_ns_per_packet(counts, 1000), 900'000);
	EXPECT_EQ(vnf_ns_per_packet(counts, 0), 0);  // not infinity: JSON has no such number
}

TEST(SideCounts, GoThroughJsonAndBackWithWhatIsMissingAndWhatIsEstimated)
{
	const BenchResult back = bench_from_json(bench_to_json(some_result())).value();
	const EventCounts& counts = back.arms[0].counts.value().background;
	EXPECT_EQ(counts.of(CountedEvent::task_clock), 600'000'000u);
	EXPECT_EQ(counts.of(CountedEvent::page_faults), 13u);
	EXPECT_EQ(counts.of(CountedEvent::cycles), std::nullopt);
	EXPECT_EQ(counts.of(CountedEvent::cache_misses), 14u);
	EXPECT_EQ(counts.scaled, of_cpu_ms(0).scaled);
	EXPECT_NE(bench_to_json(back).find(R"("cycles":null)"), std::string::npos);
}

TEST(SideCounts, WithoutThemTheDocumentIsAsBefore)
{
	BenchResult result = some_result();
	result.arms[0].counts.reset();
	EXPECT_EQ(bench_to_json(result).find("counters"), std::string::npos);
	EXPECT_FALSE(bench_from_json(bench_to_json(result))->arms[0].counts);
}

TEST(SideCounts, OfSeveralStartsAreAddedUp)
{
	const std::vector<BenchResult> starts = {some_result(), some_result(), some_result()};
	const ArmResult total = total_of(starts, 0);
	EXPECT_EQ(total.counts->vnf.of(CountedEvent::context_switches), 33u);
	// A sum over packets of one start alone would be three times too dear.
	EXPECT_DOUBLE_EQ(vnf_ns_per_packet(*total.counts, total.latency.count()), 300'000);
}

}  // namespace
}  // namespace punctual
