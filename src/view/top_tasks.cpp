// SPDX-License-Identifier: GPL-2.0-only
// The view of tasks. The kernel keeps sums for them, no distributions: a mean, and the longest since it was born.
#include <fmt/format.h>

#include "view/number.h"
#include "view/top_panel.h"
#include "view/top_words.h"

namespace punctual {
namespace {

PanelRow row_of(const TaskWaits& task, const TopFacts& facts)
{
	const WaitSums& waits = task.waits;
	const std::string cgroup = cgroup_path(facts.waits, task.cgroup_id);
	PanelRow row{
	    task.comm, "", 0, {}, fmt::format("{} ({}) of process {} in {}", task.comm, task.pid, task.tgid, cgroup)};
	row.cells.push_back({fmt::format("{}", task.pid), -static_cast<double>(task.pid)});
	row.cells.push_back(rate_cell(waits.nr, facts.window_ns));
	row.cells.push_back(wait_cell(waits.sum_ns));
	row.cells.push_back(waits.nr > 0 ? wait_cell(waits.sum_ns / waits.nr) : PanelCell{"-", 0, Ink::faint});
	row.cells.push_back(wait_cell(waits.max_ns));
	row.cells.push_back({tail_of(short_cgroup(cgroup), 12), -static_cast<double>(task.cgroup_id)});
	return row;
}

}  // namespace

Panel task_panel(const TopFacts& facts)
{
	Panel panel{{{"task", 15},
		     {"pid", 7},
		     {"waits/s", 8},
		     {"waited us", 10},
		     {"mean us", 8},
		     {"max ever us", 11},
		     {"cgroup", 12}},
		    {},
		    1,
		    "no task was counted"};
	for (const TaskWaits& task : facts.waits.tasks)
		panel.rows.push_back(row_of(task, facts));
	return panel;
}

}  // namespace punctual
