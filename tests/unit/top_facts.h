// SPDX-License-Identifier: GPL-2.0-only
// Facts of `punctual top` made by hand: the same at each run.
#pragma once

#include "view/top_facts.h"

namespace punctual {

constexpr u64 kUs = 1000;

// `nr` waits around `typical_us`, the longest of them a hundred times that.
inline WaitCounts counted(u64 nr, u64 typical_us)
{
	WaitCounts counts;
	if (nr == 0)
		return counts;
	counts.record(typical_us * kUs, nr - nr / 2 - nr / 50);
	counts.record(2 * typical_us * kUs, nr / 2);
	counts.record(40 * typical_us * kUs, nr / 50);
	counts.record(100 * typical_us * kUs, 1);
	return counts;
}

inline CpuWaits cpu_waits(u32 cpu)
{
	return {cpu, {counted(1000 + cpu * 10, 3 + cpu % 7), counted(100 + cpu, 50 + cpu % 11), counted(cpu % 3, 8)}};
}

inline TopFacts facts_of_cpus(u32 nr_cpus, u32 cpus_per_cache)
{
	TopFacts facts;
	facts.window_ns = 1000000000;
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		facts.waits.cpus.push_back(cpu_waits(cpu));
		facts.cache_of_cpu.push_back(cpu / cpus_per_cache);
	}
	facts.scheduler = {true, "scx_latency", true, 3723000000000ULL, 3, 2, false};
	facts.waits.open = {3, 1234567, 4242, "packet-fn"};
	facts.losses = {0, 1, 12, 345, 67, 89, 2};
	return facts;
}

// Four CPUs, a few cgroups that take them from each other, one of them throttled, one gone.
inline TopFacts small_facts()
{
	TopFacts facts = facts_of_cpus(4, 4);
	facts.waits.cgroups = {
	    {1, "/", false, counted(400, 4), {}},
	    {20, "/vnf.slice", false, counted(60000, 7), {}},
	    {30, "/telemetry.slice/collector-with-a-long-name.service", false, counted(900, 250), {50, 12, 3200000}},
	    {40, "/batch.slice", true, counted(30, 1500), {50, 0, 0}},
	    {0, "", false, counted(5, 10), {}},
	};
	facts.waits.tasks = {
	    {4242, 4240, 1, "packet-fn", 20, {60000, 600 * 1000 * kUs, 700 * kUs}},
	    {501, 501, 2, "python3", 30, {450, 140 * 1000 * kUs, 25000 * kUs}},
	    {502, 501, 3, "collector", 30, {450, 150 * 1000 * kUs, 9000 * kUs}},
	    {9, 9, 4, "kworker/0:1", 1, {0, 0, 42 * kUs}},
	};
	facts.waits.culprits = {
	    {20, 30, 400 * 1000 * kUs}, {20, 1, 3 * 1000 * kUs},
	    {20, 20, 20 * 1000 * kUs},  {30, 20, 150 * 1000 * kUs},
	    {30, 40, 100 * 1000 * kUs}, {30, kUnknownCulprit, 1 * 1000 * kUs},
	    {1, 30, 900 * kUs},         {40, 30, 0},
	};
	return facts;
}

}  // namespace punctual
