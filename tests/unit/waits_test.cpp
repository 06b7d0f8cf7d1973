// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "measure/waits.h"
#include "runq/counters.h"

namespace punctual {
namespace {

TEST(Waits, QuantilesErrUpwardsWithinTheBound)
{
	std::mt19937_64 random(1);
	std::lognormal_distribution<double> wait(10, 2);
	WaitCounts waits;
	std::vector<u64> all;
	for (int i = 0; i < 20000; i++) {
		all.push_back(static_cast<u64>(wait(random)));
		waits.record(all.back());
	}
	std::ranges::sort(all);
	for (double q : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
		const u64 exact = all[static_cast<size_t>(std::ceil(q * 20000)) - 1];
		EXPECT_GE(waits.quantile_ns(q), exact) << q;
		EXPECT_LE(static_cast<double>(waits.quantile_ns(q)),
			  static_cast<double>(exact) * (1 + WaitCounts::kErrorMax))
		    << q;
	}
	EXPECT_EQ(waits.quantile_ns(1), all.back());
	EXPECT_EQ(WaitCounts().quantile_ns(0.5), 0u);
	WaitCounts three;
	for (u64 wait_ns : {10, 20, 30})
		three.record(wait_ns);
	EXPECT_EQ(three.quantile_ns(0.5), 20u);  // rank 1.5 is the second
}

TEST(Waits, LongestOfAWindowIsExactWhenItIsTheLongestSoFar)
{
	WaitCounts before;
	before.record(5000);
	WaitCounts after = before;
	after.record(7003);
	EXPECT_EQ(after.since(before).max_ns, 7003u);
	EXPECT_EQ(after.since(before).count(), 1u);
	EXPECT_EQ(after.since(before).sum_ns, 7003u);
}

TEST(Waits, AnEarlierLongestDoesNotStandInALaterWindow)
{
	WaitCounts before;
	before.record(50'000'000);
	WaitCounts after = before;
	after.record(7003);
	EXPECT_GE(after.since(before).max_ns, 7003u);
	EXPECT_LE(static_cast<double>(after.since(before).max_ns), 7003 * (1 + WaitCounts::kErrorMax));
	EXPECT_EQ(before.since(before).max_ns, 0u);
}

TEST(Waits, MergedIsAsIfAllHadBeenCountedInOne)
{
	WaitCounts one, other, both;
	for (u64 wait_ns : {10, 1000, 70000}) {
		one.record(wait_ns);
		other.record(wait_ns * 3);
		both.record(wait_ns);
		both.record(wait_ns * 3);
	}
	one.merge(other);
	EXPECT_EQ(one, both);
	WaitCounts none;
	none.merge(WaitCounts());
	EXPECT_EQ(none, WaitCounts());
}

TEST(Waits, WindowHoldsWhatHappenedInIt)
{
	WaitSnapshot before;
	before.cpus.resize(1);
	before.cpus[0].kinds[0].record(1000, 5);
	before.cgroups.push_back({.id = 3, .path = "/a", .removed = false, .waits = {}, .throttling = {10, 2, 500}});
	before.tasks.push_back(
	    {.pid = 9, .tgid = 9, .start_ns = 1, .comm = "old", .cgroup_id = 3, .waits = {4, 400, 200}});
	before.losses.lost = 2;
	WaitSnapshot after = before;
	after.cpus[0].kinds[0].record(2000, 3);
	after.cgroups[0].throttling = {15, 4, 900};
	after.tasks[0].start_ns = 2;  // the pid is that of another task now
	after.losses.lost = 3;
	const WaitSnapshot window = waits_between(before, after);
	EXPECT_EQ(window.all().count(), 3u);
	EXPECT_EQ(window.of_kind(WaitKind::preempted).count(), 0u);
	EXPECT_EQ(window.cgroup(3)->throttling, (Throttling{5, 2, 400}));
	EXPECT_EQ(window.tasks[0].waits.nr, 4u);
	EXPECT_EQ(window.losses.lost, 1u);
}

CgroupWaits cgroup_with(u64 id, u64 nr)
{
	CgroupWaits row;
	row.id = id;
	row.waits.record(1000, nr);
	row.throttling.nr_periods = nr;
	return row;
}

TEST(Waits, CgroupThatGaveUpItsRowIsAmongTheOthersFromTheBeginningOn)
{
	WaitSnapshot before, after;
	before.cgroups = {cgroup_with(0, 5), cgroup_with(7, 10), cgroup_with(9, 2)};
	before.culprits = {{0, 9, 100}, {7, 9, 400}, {9, 7, 30}, {9, kUnknownCulprit, 8}};
	after.cgroups = {cgroup_with(0, 18), cgroup_with(9, 4)};
	after.culprits = {{0, 9, 600}, {9, 0, 31}, {9, kUnknownCulprit, 9}};
	const WaitSnapshot window = waits_between(before, after);
	EXPECT_EQ(window.cgroup(0)->waits.count(), 3u);  // and not 13
	EXPECT_EQ(window.cgroup(0)->throttling.nr_periods, 3u);
	EXPECT_EQ(window.cgroup(9)->waits.count(), 2u);
	EXPECT_TRUE((window.culprits == std::vector<Culprit>{{0, 9, 100}, {9, 0, 1}, {9, kUnknownCulprit, 1}}));
}

TEST(Counter, AddsUpAcrossAWrapOfTheKernels32Bits)
{
	runq_histogram one = {}, other = {};
	one.sum_ns = 1;
	one.buckets[40] = 0xfffffff0;
	const runq_histogram* parts[] = {&one, &other};
	Counter counter;
	counter.update(parts);
	one.buckets[40] += 0x20;
	other.buckets[40] = 5;
	counter.update(parts);
	EXPECT_EQ(counter.total().buckets[40], 0xfffffff0ULL + 0x20 + 5);
}

TEST(CgroupPath, IsToldAsFarAsItIsKnown)
{
	WaitSnapshot waits;
	waits.cgroups = {{7, "/vnf.slice", false, {}, {}}, {8, "", false, {}, {}}};
	EXPECT_EQ(cgroup_path(waits, 7), "/vnf.slice");
	EXPECT_EQ(cgroup_path(waits, 8), "(id 8)");
	EXPECT_EQ(cgroup_path(waits, 9), "(id 9)");
	EXPECT_EQ(cgroup_path(waits, 0), "(other)");
	EXPECT_EQ(cgroup_path(waits, kUnknownCulprit), "(unknown)");
}

TEST(Counter, OfNothingHasNoBuckets)
{
	runq_histogram one = {};
	const runq_histogram* parts[] = {&one};
	Counter counter;
	counter.update(parts);
	EXPECT_EQ(counter.total(), WaitCounts());
	one.buckets[0] = 1;  // a wait of 0 ns is one
	counter.update(parts);
	EXPECT_EQ(counter.total().count(), 1u);
}

}  // namespace
}  // namespace punctual
