// SPDX-License-Identifier: GPL-2.0-only
#include "view/waits_sections.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "view/figure.h"
#include "view/heat_map.h"
#include "view/number.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr size_t kTimeRowsMax = 24, kBarsMax = 32, kCgroupsMax = 200, kLongestMax = 40, kRunnersMax = 4;
constexpr size_t kVictimsMax = 16, kCulpritsMax = 8;
constexpr size_t kNameMax = 48;

std::string seconds_text(u64 ns)
{
	return fmt::format("{:.1f}", static_cast<double>(ns) / 1e9);
}

std::string quantile_text(const WaitCounts& counts, double quantile)
{
	return counts.count() ? us_text(counts.quantile_ns(quantile)) : "-";
}

void append_quantiles(const WaitCounts& counts, TableRow* row)
{
	row->cells.push_back({count_text(counts.count())});
	for (double quantile : {0.5, 0.99, 0.999})
		row->cells.push_back({quantile_text(counts, quantile)});
	row->cells.push_back({counts.count() ? us_text(counts.max_ns) : "-"});
}

Table quantile_table(const char* what, bool numeric)
{
	return {{{what, numeric}, {"waits"}, {"p50 us"}, {"p99 us"}, {"p99.9 us"}, {"max us"}}, {}};
}

std::string cgroup_text(const WaitSnapshot& total, u64 id)
{
	const CgroupWaits* cgroup = total.cgroup(id);
	return shortened(clean_text(cgroup_path(total, id)), kNameMax) +
	       (cgroup && cgroup->removed ? " (removed)" : "");
}

// As many rows as a reader looks at: neighbouring columns of the picture together.
Table time_table(const WaitsPart& part)
{
	Table table = quantile_table("from s", true);
	const size_t step = std::max<size_t>((part.columns.size() + kTimeRowsMax - 1) / kTimeRowsMax, 1);
	for (size_t at = 0; at < part.columns.size(); at += step) {
		WaitCounts counts;
		for (size_t i = at; i < std::min(at + step, part.columns.size()); i++)
			counts.merge(part.columns[i]);
		TableRow row{{{seconds_text(at * part.column_ns)}}};
		append_quantiles(counts, &row);
		table.rows.push_back(std::move(row));
	}
	return table;
}

}  // namespace

PageSection time_section(const WaitsPart& part, int color)
{
	HeatMap map{"Waits over time",
		    part.columns,
		    part.column_ns,
		    part.end_ns - std::min(part.start_ns, part.end_ns),
		    {},
		    color};
	for (const WaitsMark& mark : part.marks)
		map.marks.push_back({mark.at_ns - std::min(part.start_ns, mark.at_ns), mark.text});
	PageSection section;
	section.heading = "Over time";
	section.table = time_table(part);
	section.figures.push_back({heat_map(map),
				   "Each cell: how many waits of that length ended in that moment; the darkest has as "
				   "many as any, the faintest "
				   "one. Dashed lines: the scheduler changed."});
	return section;
}

PageSection cpu_section(const WaitsPart& part, int color)
{
	std::vector<std::pair<u32, WaitCounts>> cpus;
	cpus.reserve(part.total.cpus.size());
	for (const CpuWaits& cpu : part.total.cpus)
		cpus.emplace_back(cpu.cpu, cpu.all());
	PageSection section;
	section.heading = "By CPU";
	section.table = quantile_table("cpu", true);
	for (const auto& [cpu, counts] : cpus) {
		TableRow row{{{std::to_string(cpu)}}};
		append_quantiles(counts, &row);
		section.table->rows.push_back(std::move(row));
	}
	std::ranges::sort(cpus, std::greater(), [](const auto& row) { return row.second.quantile_ns(0.99); });
	const bool some = cpus.size() > kBarsMax;
	cpus.resize(std::min(cpus.size(), kBarsMax));
	BarChart slow{"p99 by CPU", {}}, busy{"Waits by CPU", {}};
	for (const auto& [cpu, counts] : cpus) {
		const std::string name = fmt::format("CPU {}", cpu);
		slow.bars.push_back(
		    {name, static_cast<double>(counts.quantile_ns(0.99)), quantile_text(counts, 0.99) + " us", color});
		busy.bars.push_back({name, static_cast<double>(counts.count()), count_text(counts.count()), color});
	}
	const std::string which = some ? fmt::format(" The {} CPUs with the longest.", kBarsMax) : "";
	section.figures = {{bar_chart(slow), "p99 of the waits that ended on each CPU." + which, true},
			   {bar_chart(busy), "How many there were.", true}};
	return section;
}

PageSection cgroup_section(const WaitsPart& part)
{
	std::vector<const CgroupWaits*> cgroups;
	for (const CgroupWaits& cgroup : part.total.cgroups)
		if (cgroup.waits.count() || cgroup.throttling.nr_throttled)
			cgroups.push_back(&cgroup);
	std::ranges::sort(cgroups, std::greater(), [](const CgroupWaits* row) { return row->waits.sum_ns; });
	PageSection section;
	section.heading = "By cgroup";
	section.table = quantile_table("cgroup", false);
	section.table->columns.push_back({"waited ms"});
	section.table->columns.push_back({"throttled periods"});
	section.table->columns.push_back({"throttled ms"});
	for (size_t at = 0; at < std::min(cgroups.size(), kCgroupsMax); at++) {
		const CgroupWaits& cgroup = *cgroups[at];
		TableRow row{{{cgroup_text(part.total, cgroup.id)}}};
		append_quantiles(cgroup.waits, &row);
		const Throttling& throttling = cgroup.throttling;
		row.cells.push_back({count_text(cgroup.waits.sum_ns / 1'000'000)});
		row.cells.push_back({throttling.nr_periods
					 ? fmt::format("{} of {}", count_text(throttling.nr_throttled),
						       count_text(throttling.nr_periods))
					 : "-",
				     throttling.nr_throttled ? Tone::bad : Tone::plain});
		row.cells.push_back({throttling.nr_periods ? count_text(throttling.throttled_ns / 1'000'000) : "-"});
		section.table->rows.push_back(std::move(row));
	}
	section.notes = {
	    "The order is by time waited in all. A cgroup that used up its cpu.max waits as well, but not for a "
	    "CPU: that is in the columns on throttling."};
	if (cgroups.size() > kCgroupsMax)
		section.notes.push_back(fmt::format("{} more cgroups are left out.", cgroups.size() - kCgroupsMax));
	return section;
}

PageSection culprit_section(const WaitsPart& part)
{
	std::map<u64, u64> by_victim, by_culprit;
	std::map<std::pair<u64, u64>, u64> ran;
	for (const Culprit& row : part.total.culprits) {
		by_victim[row.victim_id] += row.ran_ns;
		by_culprit[row.culprit_id] += row.ran_ns;
		ran[{row.victim_id, row.culprit_id}] += row.ran_ns;
	}
	auto longest = [](const std::map<u64, u64>& sums, size_t most) {
		std::vector<std::pair<u64, u64>> rows(sums.begin(), sums.end());
		std::erase_if(rows, [](const auto& row) { return row.second == 0; });
		std::ranges::sort(rows, std::greater(), &std::pair<u64, u64>::second);
		rows.resize(std::min(rows.size(), most));
		return rows;
	};
	PageSection section;
	section.heading = "Who ran meanwhile";
	section.prose = {
	    "A row for each cgroup whose tasks waited, a column for each whose tasks had the CPU then, in ms."};
	section.table.emplace();
	section.table->columns.push_back({"waited", false});
	const auto culprits = longest(by_culprit, kCulpritsMax);
	for (const auto& [culprit, sum_ns] : culprits)
		section.table->columns.push_back({cgroup_text(part.total, culprit)});
	section.table->columns.push_back({"all"});
	for (const auto& [victim, sum_ns] : longest(by_victim, kVictimsMax)) {
		TableRow row{{{cgroup_text(part.total, victim)}}};
		for (const auto& [culprit, unused] : culprits) {
			const u64 ran_ns = ran[{victim, culprit}];
			row.cells.push_back({ran_ns ? us_text(ran_ns / 1000) : "-",
					     ran_ns * 2 > sum_ns && culprit != victim ? Tone::bad : Tone::plain});
		}
		row.cells.push_back({us_text(sum_ns / 1000)});
		section.table->rows.push_back(std::move(row));
	}
	return section;
}

PageSection longest_section(const WaitsPart& part)
{
	std::vector<const WaitOutlier*> outliers;
	outliers.reserve(part.outliers.size());
	for (const WaitOutlier& outlier : part.outliers)
		outliers.push_back(&outlier);
	std::ranges::sort(outliers, std::greater(), [](const WaitOutlier* row) { return row->wait_ns; });
	PageSection section;
	section.heading = "The longest waits";
	section.table = Table{{{"at s"},
			       {"wait us"},
			       {"began by", false},
			       {"cpu"},
			       {"task", false},
			       {"cgroup", false},
			       {"who ran meanwhile, the latest first", false}},
			      {}};
	for (size_t at = 0; at < std::min(outliers.size(), kLongestMax); at++) {
		const WaitOutlier& outlier = *outliers[at];
		std::string runners;
		for (size_t i = 0; i < std::min(outlier.runners.size(), kRunnersMax); i++) {
			const Runner& runner = outlier.runners[i];
			runners += fmt::format("{}{} ({}) {} us", i ? ", " : "", clean_text(runner.comm),
					       cgroup_text(part.total, runner.cgroup_id), us_text(runner.ran_ns));
		}
		section.table->rows.push_back(
		    {{{seconds_text(outlier.end_ns - std::min(part.start_ns, outlier.end_ns))},
		      {us_text(outlier.wait_ns)},
		      {std::string(kWaitKindNames[std::to_underlying(outlier.kind)])},
		      {std::to_string(outlier.cpu)},
		      {fmt::format("{} {}", clean_text(outlier.comm), outlier.pid)},
		      {cgroup_text(part.total, outlier.cgroup_id)},
		      {runners.empty() ? "-" : runners}}});
	}
	section.notes = {fmt::format("{} of {} waits above the threshold.", std::min(outliers.size(), kLongestMax),
				     count_text(part.nr_outliers))};
	return section;
}

PageSection loss_section(const WaitsPart& part)
{
	const WaitLosses& losses = part.total.losses;
	const OpenWaits& open = part.total.open;
	PageSection section;
	section.heading = "What the counts do not hold";
	section.facts = {
	    {"lost", count_text(losses.lost)},
	    {"discarded", count_text(losses.discarded)},
	    {"waited already at the start", count_text(losses.unknown_start)},
	    {"wakeups of a task that ran", count_text(losses.wakeup_while_running)},
	    {"wakeups of a task that waited", count_text(losses.wakeup_while_queued)},
	    {"switches that were not seen", count_text(losses.unseen_switches)},
	    {"long waits not told one by one", count_text(losses.outliers_dropped)},
	    {"waiting at the end", open.nr ? fmt::format("{}, {} ({}) for {} us", count_text(open.nr),
							 clean_text(open.comm), open.pid, us_text(open.longest_ns))
					   : "none"},
	};
	return section;
}

}  // namespace punctual
