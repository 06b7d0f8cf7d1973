// SPDX-License-Identifier: GPL-2.0-only
#include "cli/bench_counters.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench/starts.h"
#include "view/number.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr size_t kNameMax = 40;  // as in the table of arms
constexpr CountedEvent kColumns[] = {CountedEvent::cycles,       CountedEvent::instructions,
				     CountedEvent::cache_misses, CountedEvent::context_switches,
				     CountedEvent::migrations,   CountedEvent::page_faults};

std::string count_cell(const EventCounts& counts, CountedEvent event)
{
	const std::optional<uint64_t> count = counts.of(event);
	if (!count)
		return "not supported";
	const bool estimated = (counts.scaled >> static_cast<unsigned>(event) & 1) != 0;
	return (estimated ? "~" : "") + count_text(*count);
}

TableRow row_of(const std::string& name, int color, std::string side, const EventCounts& counts, double ns_per_packet)
{
	TableRow row{{{shortened(clean_text(name), kNameMax), Tone::plain, color}, {std::move(side)}}};
	const std::optional<uint64_t> cpu_ns = counts.of(CountedEvent::task_clock);
	row.cells.push_back({cpu_ns ? fmt::format("{:.1f}", static_cast<double>(*cpu_ns) / 1e6) : "not supported"});
	row.cells.push_back(
	    {cpu_ns && ns_per_packet > 0 ? count_text(static_cast<uint64_t>(std::llround(ns_per_packet))) : "-"});
	for (const CountedEvent event : kColumns)
		row.cells.push_back({count_cell(counts, event)});
	return row;
}

bool is_estimated(const SideCounts& counts)
{
	return (counts.vnf.scaled | counts.background.scaled) != 0;
}

}  // namespace

PageSection counters_section(std::span<const CountedArm> arms)
{
	Table table{{{"arm", false},
		     {"side", false},
		     {"task-clock ms"},
		     {"CPU ns/packet"},
		     {"cycles"},
		     {"instructions"},
		     {"cache misses"},
		     {"switches"},
		     {"migrations"},
		     {"page faults"}},
		    {}};
	bool estimated = false;
	for (const CountedArm& arm : arms) {
		const SideCounts& counts = arm.counts;
		table.rows.push_back(
		    row_of(arm.name, arm.color, "packets", counts.vnf, vnf_ns_per_packet(counts, arm.packets)));
		EventCounts both = counts.vnf;
		both.add(counts.background);
		table.rows.push_back(row_of(arm.name, arm.color, "background", counts.background, 0));
		table.rows.push_back(
		    row_of(arm.name, arm.color, "both", both, both_ns_per_packet(counts, arm.packets)));
		estimated = estimated || is_estimated(counts);
	}
	PageSection section;
	section.heading = "Counters";
	section.table = std::move(table);
	section.notes = {
	    "By perf events of each process, in the window; the packet side until its ring was empty. CPU "
	    "ns/packet: task-clock for each packet that was delivered. The events themselves cost at each "
	    "switch: latencies are those of a run with them."};
	if (estimated)
		section.notes.emplace_back(
		    "~: the counters were shared with others, so this is estimated from a part of the time.");
	return section;
}

std::optional<PageSection> counters_section(std::span<const BenchResult> starts)
{
	std::vector<CountedArm> arms;
	for (size_t arm = 0; arm < starts[0].arms.size(); arm++) {
		const ArmResult total = total_of(starts, arm);
		if (!total.counts)
			return std::nullopt;
		const auto first = std::ranges::find(starts[0].arms, total.name, &ArmResult::name);
		arms.push_back({total.name, static_cast<int>(first - starts[0].arms.begin()), *total.counts,
				total.latency.count()});
	}
	return counters_section(arms);
}

}  // namespace punctual
