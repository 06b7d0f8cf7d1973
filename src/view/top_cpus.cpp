// SPDX-License-Identifier: GPL-2.0-only
// The view of CPUs. Beyond a screenful they stand by last-level cache: one row a cache, its CPUs on request.
#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/cpu_list.h"
#include "view/number.h"
#include "view/top_panel.h"
#include "view/top_words.h"

namespace punctual {
namespace {

constexpr size_t kFlatCpusMax = 32;

using Kinds = std::array<WaitCounts, kWaitKinds>;

std::string kinds_text(const Kinds& kinds)
{
	std::string text = "p99 us by how the wait began:";
	for (u32 kind = 0; kind < kWaitKinds; kind++)
		text += fmt::format("  {} {}", kWaitKindNames[kind],
				    kinds[kind].count() > 0 ? us_text(kinds[kind].quantile_ns(0.99)) : "-");
	return text;
}

PanelRow row_of(std::string name, u32 number, const Kinds& kinds, u64 window_ns)
{
	WaitCounts all;
	for (const WaitCounts& kind : kinds)
		all.merge(kind);
	PanelRow row{std::move(name), "", static_cast<double>(number), {}, kinds_text(kinds)};
	row.cells.push_back(rate_cell(all.count(), window_ns));
	row.cells.push_back({short_count(all.count()), static_cast<double>(all.count())});
	for (const double q : {0.5, 0.99, 0.999, 1.0})
		row.cells.push_back(quantile_cell(all, q));
	for (const WaitCounts& kind : kinds)
		row.cells.push_back(quantile_cell(kind, 0.99));
	return row;
}

PanelRow row_of(const CpuWaits& cpu, u64 window_ns)
{
	return row_of(fmt::format("cpu {}", cpu.cpu), cpu.cpu, cpu.kinds, window_ns);
}

struct Cache {
	CpuList cpus;
	Kinds kinds;
	std::vector<PanelRow> parts;
};

std::vector<PanelRow> cache_rows(const TopState& state, const TopFacts& facts)
{
	std::map<u32, Cache> caches;
	for (const CpuWaits& cpu : facts.waits.cpus) {
		const u32 number = cpu.cpu < facts.cache_of_cpu.size() ? facts.cache_of_cpu[cpu.cpu] : 0;
		Cache& cache = caches[number];
		cache.cpus.add(static_cast<int>(cpu.cpu));
		for (u32 kind = 0; kind < kWaitKinds; kind++)
			cache.kinds[kind].merge(cpu.kinds[kind]);
		if (!state.open_caches.contains(number))
			continue;
		cache.parts.push_back(row_of(cpu, facts.window_ns));
		cache.parts.back().is_part = true;
	}
	std::vector<PanelRow> rows;
	for (auto& [number, cache] : caches) {
		const char* mark = state.open_caches.contains(number) ? "-" : "+";
		rows.push_back(row_of(fmt::format("{} cache {}: {}", mark, number, cache.cpus.text()), number,
				      cache.kinds, facts.window_ns));
		rows.back().cache = number;
		rows.back().parts = std::move(cache.parts);
	}
	return rows;
}

}  // namespace

Panel cpu_panel(const TopState& state, const TopFacts& facts)
{
	Panel panel{{{"CPU", 18},
		     {"waits/s", 9},
		     {"waits", 9},
		     {"p50 us", 8},
		     {"p99 us", 8},
		     {"p99.9 us", 9},
		     {"max us", 9},
		     {"wakeup p99", 10},
		     {"preempted p99", 13},
		     {"new p99", 9}},
		    {},
		    1,
		    "no waits were counted"};
	// A filter is for finding a CPU, which a closed cache would hide.
	if (facts.waits.cpus.size() > kFlatCpusMax && state.filter.empty())
		panel.rows = cache_rows(state, facts);
	else
		for (const CpuWaits& cpu : facts.waits.cpus)
			panel.rows.push_back(row_of(cpu, facts.window_ns));
	return panel;
}

}  // namespace punctual
