// SPDX-License-Identifier: GPL-2.0-only
#include "cli/runq_window.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/units.h"
#include "cli/cgroup_name.h"
#include "object/class_waits.h"
#include "object/loaded.h"
#include "view/number.h"
#include "view/table.h"
#include "view/text.h"

namespace punctual {
namespace {

std::string classes_text(const SchedulerWaits& scheduler)
{
	Table table;
	table.columns = {{"class", false}, {"budget"}, {"waits"},  {"missed"},  {"queue us"},
			 {"start us"},     {"p50 us"}, {"p99 us"}, {"p99.9 us"}};
	for (const class_stats& row : scheduler.classes)
		table.rows.push_back({.cells = {{cgroup_name(row.cgroup_id).value_or("(removed)")},
						{budget_text(row.budget_ns)},
						{count_text(row.nr_waits)},
						{count_text(row.nr_missed)},
						{us_text(mean_parts(row).queue_ns)},
						{us_text(mean_parts(row).start_ns)},
						{us_text(wait_quantile_ns(row, 0.5))},
						{us_text(wait_quantile_ns(row, 0.99))},
						{us_text(wait_quantile_ns(row, 0.999))}}});
	if (table.rows.empty())
		return "";
	return fmt::format("\n{} itself, from runnable to running:\n{}", clean_text(scheduler.scheduler),
			   table_text(table));
}

std::string cost_text(const ProbeCost& cost)
{
	const double nr = static_cast<double>(std::max<u64>(cost.nr_events, 1));
	const double elapsed = static_cast<double>(std::max<u64>(cost.elapsed_ns, 1));
	return fmt::format(
	    "our probes: {:.0f} ns an event, {} events, {:.2f} % of one CPU (an empty program reads {} ns)\n",
	    static_cast<double>(cost.run_ns) / nr, count_text(cost.nr_events),
	    100 * static_cast<double>(cost.run_ns) / elapsed, cost.calibration_ns);
}

}  // namespace

SchedulerWaits read_scheduler_waits()
{
	const auto loaded = loaded_scheduler();  // an error: this kernel has no such schedulers
	if (!loaded || !*loaded)
		return {};
	return {(*loaded)->name, (*loaded)->classes};
}

SchedulerWaits scheduler_waits_between(const SchedulerWaits& before, const SchedulerWaits& after)
{
	SchedulerWaits waits = after;
	for (class_stats& row : waits.classes) {
		const auto old = std::ranges::find(before.classes, row.cgroup_id, &class_stats::cgroup_id);
		if (old != before.classes.end() && old->nr_waits <= row.nr_waits)
			row = class_waits_between(*old, row);
	}
	return waits;
}

std::string runq_text(const RunqWindow& window)
{
	const u64 elapsed_ns = window.waits.at_ns - window.begin_ns;
	std::string text = fmt::format("run-queue waits of {:.1f} s{}{}\n", static_cast<double>(elapsed_ns) / 1e9,
				       window.partial ? " (interrupted)" : "",
				       window.scheduler.scheduler.empty()
					   ? ""
					   : fmt::format(", under {}", clean_text(window.scheduler.scheduler)));
	text +=
	    window.by == WaitsBy::kind ? waits_histogram_text(window.waits) : waits_table_text(window.waits, window.by);
	text += classes_text(window.scheduler);
	if (window.outliers && !window.outliers->empty())
		text += "\n" + outliers_text(*window.outliers, window.waits);
	text += "\n" + waits_losses_text(window.waits);
	if (window.cost)
		text += cost_text(*window.cost);
	return text;
}

}  // namespace punctual
