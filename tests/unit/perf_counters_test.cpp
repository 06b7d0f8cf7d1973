// SPDX-License-Identifier: GPL-2.0-only
// Differences of two readings, and what the kernel counts of a load that is known.
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/perf_counters.h"

namespace punctual {
namespace {

constexpr uint64_t bit(CountedEvent event)
{
	return 1ULL << static_cast<unsigned>(event);
}

constexpr uint64_t kAll = (1ULL << kCountedEvents) - 1;

// 100 ms on both groups; every event counted ten times its place.
CounterRecord some_record(uint64_t supported)
{
	CounterRecord record{};
	record.supported = supported;
	const auto fill = [supported](auto& from, auto& to, size_t first, size_t events) {
		for (size_t event = first; event < first + events; event++)
			if ((supported >> event & 1) != 0) {
				from.values[from.nr++] = 7;
				to.values[to.nr++] = 7 + 10 * event;
			}
		from.enabled_ns = from.running_ns = 1'000;
		to.enabled_ns = to.running_ns = 100'001'000;
	};
	fill(record.at_start.software, record.at_end.software, 0, kSoftwareEvents);
	fill(record.at_start.hardware, record.at_end.hardware, kSoftwareEvents, kHardwareEvents);
	return record;
}

TEST(EventCounts, AreTheDifferenceOfTheReadings)
{
	const EventCounts counts = counts_between(some_record(kAll));
	for (size_t event = 0; event < kCountedEvents; event++)
		EXPECT_EQ(counts.of(static_cast<CountedEvent>(event)), 10 * event);
	EXPECT_EQ(counts.scaled, 0u);
}

TEST(EventCounts, AnEventThatIsMissingTakesNoPlaceAmongTheValues)
{
	const EventCounts counts = counts_between(some_record(kAll & ~bit(CountedEvent::instructions)));
	EXPECT_EQ(counts.of(CountedEvent::cycles), 40u);
	EXPECT_EQ(counts.of(CountedEvent::instructions), std::nullopt);
	EXPECT_EQ(counts.of(CountedEvent::cache_misses), 60u);  // that of instructions would be another event's figure
}

TEST(EventCounts, WhatRanAPartOfTheTimeIsScaledAndSaysSo)
{
	CounterRecord record = some_record(kAll);
	record.at_end.hardware.running_ns = 25'001'000;
	const EventCounts counts = counts_between(record);
	EXPECT_EQ(counts.of(CountedEvent::cycles), 160u);
	EXPECT_EQ(counts.scaled,
		  bit(CountedEvent::cycles) | bit(CountedEvent::instructions) | bit(CountedEvent::cache_misses));
	EXPECT_EQ(counts.of(CountedEvent::page_faults), 30u);
}

TEST(EventCounts, WhatNeverRanOrCouldNotBeReadIsNotSupportedRatherThanZero)
{
	CounterRecord record = some_record(kAll);
	record.at_end.hardware.running_ns = record.at_start.hardware.running_ns;
	EXPECT_EQ(counts_between(record).of(CountedEvent::cycles), std::nullopt);
	EXPECT_EQ(counts_between(record).of(CountedEvent::migrations), 20u);
	record.at_end.software.nr = 0;
	EXPECT_EQ(counts_between(record).of(CountedEvent::migrations), std::nullopt);
}

TEST(EventCounts, TheSumOfThreadsLacksWhatOneOfThemLacks)
{
	EventCounts sum = counts_between(some_record(kAll));
	sum.add(counts_between(some_record(kAll & ~bit(CountedEvent::cycles))));
	EXPECT_EQ(sum.of(CountedEvent::page_faults), 60u);
	EXPECT_EQ(sum.of(CountedEvent::cycles), std::nullopt);
}

// Of the load on this machine's kernel; skipped where counting is not permitted.
template <typename Load>
EventCounts counted(Load load)
{
	const Result<PerfCounters> counters = PerfCounters::open();
	if (!counters)
		return {};
	CounterRecord record{};
	record.supported = counters->supported();
	counters->read(record.at_start);
	load();
	counters->read(record.at_end);
	return counts_between(record);
}

#define SKIP_WITHOUT(counts)         \
	if ((counts).supported == 0) \
	GTEST_SKIP() << "perf events are not permitted here"

uint64_t switches_now()
{
	rusage usage{};
	::getrusage(RUSAGE_THREAD, &usage);
	return static_cast<uint64_t>(usage.ru_nvcsw + usage.ru_nivcsw);
}

TEST(PerfCounters, AProcessThatSleepsNTimesIsSwitchedNTimes)
{
	constexpr uint64_t kSleeps = 100;
	uint64_t switches = 0;
	const EventCounts counts = counted([&] {
		const uint64_t before = switches_now();
		for (uint64_t i = 0; i < kSleeps; i++) {
			const timespec moment{0, 1'000'000};
			::nanosleep(&moment, nullptr);
		}
		switches = switches_now() - before;
	});
	SKIP_WITHOUT(counts);
	EXPECT_GE(switches, kSleeps * 9 / 10);  // a timer may be over before its sleeper sleeps
	EXPECT_GE(counts.of(CountedEvent::context_switches), switches);
	EXPECT_LE(counts.of(CountedEvent::context_switches),
		  switches + 10);  // between the readings and the kernel's own
}

TEST(PerfCounters, TaskClockIsTheCpuTimeOfASpinner)
{
	uint64_t cpu_ns = 0;
	const EventCounts counts = counted([&] {
		const uint64_t start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		while (cpu_ns < 100'000'000)
			cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns;
	});
	SKIP_WITHOUT(counts);
	// The switches themselves are in one of them only, and a hypervisor may take time from either.
	EXPECT_GT(counts.of(CountedEvent::task_clock), cpu_ns * 7 / 10);
	EXPECT_LT(counts.of(CountedEvent::task_clock), cpu_ns * 13 / 10);
}

TEST(PerfCounters, EveryPageThatIsTouchedFirstIsAFault)
{
	constexpr size_t kPages = 64;
	const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
	auto* memory = static_cast<volatile char*>(
	    ::mmap(nullptr, kPages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	ASSERT_NE(memory, MAP_FAILED);
	::madvise(const_cast<char*>(memory), kPages * page, MADV_NOHUGEPAGE);
	const EventCounts counts = counted([&] {
		for (size_t i = 0; i < kPages; i++)
			memory[i * page] = 1;
	});
	::munmap(const_cast<char*>(memory), kPages * page);
	SKIP_WITHOUT(counts);
	EXPECT_GE(counts.of(CountedEvent::page_faults), kPages);
	EXPECT_LT(counts.of(CountedEvent::page_faults), 4 * kPages);
}

}  // namespace
}  // namespace punctual
