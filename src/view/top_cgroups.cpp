// SPDX-License-Identifier: GPL-2.0-only
// The view of cgroups: waits, and throttling by cpu.max beside them, because it looks like waiting.
#include <fmt/format.h>

#include "view/number.h"
#include "view/top_panel.h"
#include "view/top_words.h"

namespace punctual {
namespace {

// Part of its periods in which it was throttled, and for how long.
PanelCell throttled_cell(const Throttling& throttling)
{
	const auto value = static_cast<double>(throttling.throttled_ns);
	if (throttling.nr_throttled == 0)
		return {throttling.nr_periods == 0 ? "-" : "0", value, Ink::faint};
	const std::string length = wait_text(throttling.throttled_ns);
	const char* unit = length.ends_with('s') ? "" : " us";
	return {fmt::format("{}% {}{}", percent_text(throttling.nr_throttled, throttling.nr_periods), length, unit),
		value, Ink::bad};
}

std::string detail_of(const CgroupWaits& cgroup, const std::string& name)
{
	std::string text = count_text(cgroup.waits.count()) + " waits";
	const Throttling& throttling = cgroup.throttling;
	if (throttling.nr_periods > 0)
		text += fmt::format(", throttled in {} of {} periods", throttling.nr_throttled, throttling.nr_periods);
	return text + ": " + name;
}

PanelRow row_of(const CgroupWaits& cgroup, const TopFacts& facts)
{
	const std::string name = cgroup_path(facts.waits, cgroup.id);
	PanelRow row{name, cgroup.removed ? " (gone)" : "", 0, {}, detail_of(cgroup, name)};
	row.cells.push_back(rate_cell(cgroup.waits.count(), facts.window_ns));
	for (const double q : {0.5, 0.99, 0.999, 1.0})
		row.cells.push_back(quantile_cell(cgroup.waits, q));
	row.cells.push_back(throttled_cell(cgroup.throttling));
	row.cells.push_back(wait_cell(cgroup.waits.sum_ns));
	row.cells.push_back({short_count(cgroup.waits.count()), static_cast<double>(cgroup.waits.count())});
	return row;
}

}  // namespace

Panel cgroup_panel(const TopFacts& facts)
{
	Panel panel{{{"cgroup", 16},
		     {"waits/s", 8},
		     {"p50 us", 8},
		     {"p99 us", 8},
		     {"p99.9 us", 8},
		     {"max us", 8},
		     {"throttled", 17},
		     {"waited us", 10},
		     {"waits", 11}},
		    {},
		    1,
		    "no waits were counted"};
	for (const CgroupWaits& cgroup : facts.waits.cgroups)
		panel.rows.push_back(row_of(cgroup, facts));
	return panel;
}

}  // namespace punctual
