// SPDX-License-Identifier: GPL-2.0-only
#include "view/waits_text.h"

#include <algorithm>
#include <array>
#include <bit>

#include <fmt/format.h>

#include "view/number.h"
#include "view/table.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr size_t kRowsMax = 20;
constexpr u64 kBarWidth = 40;
constexpr u32 kOctaves = 65;
constexpr std::array kQuantiles = {0.5, 0.9, 0.99, 0.999};

const std::vector<TableColumn> kWaitColumns = {{"waits"},  {"sum ms"},   {"p50 us"}, {"p90 us"},
					       {"p99 us"}, {"p99.9 us"}, {"max us"}};

// 0, 1, 2, ... 512, 1K, 2K, ... 1M: microseconds in powers of two.
std::string bound_text(u64 us)
{
	constexpr u64 kKilo = 1024;
	if (us < kKilo)
		return fmt::format("{}", us);
	return us < kKilo * kKilo ? fmt::format("{}K", us / kKilo) : fmt::format("{}M", us / kKilo / kKilo);
}

std::string octave_text(u32 octave)
{
	return octave == 0 ? "[0, 1)"
			   : fmt::format("[{}, {})", bound_text(1ULL << (octave - 1)), bound_text(1ULL << octave));
}

// Octave 0 is below a microsecond, octave n from 2^(n-1) on. A bucket belongs where its end lies.
std::array<u64, kOctaves> octaves_of(const WaitCounts& waits)
{
	std::array<u64, kOctaves> octaves = {};
	for (u32 bucket = 0; bucket < waits.buckets.size(); bucket++)
		octaves[static_cast<size_t>(std::bit_width(loglin_max(bucket, LOGLIN_RUNQ_BITS) / 1000))] +=
		    waits.buckets[bucket];
	return octaves;
}

std::string bars_text(const WaitCounts& waits)
{
	const std::array<u64, kOctaves> octaves = octaves_of(waits);
	const u64 total = waits.count();
	const u64 most = *std::ranges::max_element(octaves);
	u64 so_far = 0;
	std::string text = fmt::format("{:<14} {:>10}  {:<{}} {:>6}\n", "us", "waits", "", kBarWidth + 2, "cum %");
	for (u32 octave = 0; octave < kOctaves && so_far < total; octave++) {
		if (so_far == 0 && octaves[octave] == 0)
			continue;
		so_far += octaves[octave];
		const u64 width = (octaves[octave] * kBarWidth + most - 1) / most;  // little is not nothing
		text += fmt::format("{:<14} {:>10}  |{:<{}}| {:>6}\n", octave_text(octave), octaves[octave],
				    std::string(width, '@'), kBarWidth, percent_text(so_far, total));
	}
	return text;
}

void add_wait_cells(const WaitCounts& waits, TableRow* row)
{
	row->cells.push_back({count_text(waits.count())});
	row->cells.push_back({fmt::format("{:.1f}", static_cast<double>(waits.sum_ns) / 1e6)});
	for (double q : kQuantiles)
		row->cells.push_back({us_text(waits.quantile_ns(q))});
	row->cells.push_back({us_text(waits.max_ns)});
}

Table wait_table(TableColumn first)
{
	Table table;
	table.columns = {std::move(first)};
	table.columns.insert(table.columns.end(), kWaitColumns.begin(), kWaitColumns.end());
	return table;
}

std::string name_of(u64 cgroup_id, const WaitSnapshot& window)
{
	return clean_text(cgroup_path(window, cgroup_id));
}

std::string cpu_table(const WaitSnapshot& window)
{
	Table table = wait_table({"cpu"});
	for (const CpuWaits& cpu : window.cpus) {
		const WaitCounts waits = cpu.all();
		if (waits.count() == 0)
			continue;
		TableRow row = {.cells = {{fmt::format("{}", cpu.cpu)}}};
		add_wait_cells(waits, &row);
		table.rows.push_back(std::move(row));
	}
	return table_text(table);
}

std::string throttling_text(const Throttling& throttling)
{
	if (throttling.nr_periods == 0)
		return "";
	return fmt::format("{} of {} periods, {:.1f} ms", throttling.nr_throttled, throttling.nr_periods,
			   static_cast<double>(throttling.throttled_ns) / 1e6);
}

std::string culprits_text(const WaitSnapshot& window)
{
	std::vector<Culprit> culprits = window.culprits;
	std::erase_if(culprits, [](const Culprit& row) { return row.ran_ns == 0; });
	std::ranges::sort(culprits, std::greater(), &Culprit::ran_ns);
	culprits.resize(std::min(culprits.size(), kRowsMax));
	Table table;
	table.columns = {{"ms"}, {"waited", false}, {"while there ran", false}};
	for (const Culprit& row : culprits)
		table.rows.push_back({.cells = {{fmt::format("{:.1f}", static_cast<double>(row.ran_ns) / 1e6)},
						{name_of(row.victim_id, window)},
						{name_of(row.culprit_id, window)}}});
	return table.rows.empty() ? "" : "\n" + table_text(table);
}

std::string more_text(size_t nr)
{
	return nr > kRowsMax ? fmt::format("and {} more\n", nr - kRowsMax) : "";
}

std::string cgroup_table(const WaitSnapshot& window)
{
	std::vector<const CgroupWaits*> cgroups;
	for (const CgroupWaits& row : window.cgroups)
		if (row.waits.count() > 0)
			cgroups.push_back(&row);
	std::ranges::sort(cgroups, std::greater(), [](const CgroupWaits* row) { return row->waits.sum_ns; });
	Table table = wait_table({"cgroup", false});
	table.columns.push_back({"throttled", false});
	for (size_t i = 0; i < std::min(cgroups.size(), kRowsMax); i++) {
		TableRow row = {.cells = {{cgroups[i]->path + (cgroups[i]->removed ? " (removed)" : "")}}};
		add_wait_cells(cgroups[i]->waits, &row);
		row.cells.push_back({throttling_text(cgroups[i]->throttling)});
		table.rows.push_back(std::move(row));
	}
	return table_text(table) + more_text(cgroups.size()) + culprits_text(window);
}

std::string task_table(const WaitSnapshot& window)
{
	std::vector<const TaskWaits*> tasks;
	for (const TaskWaits& row : window.tasks)
		if (row.waits.nr > 0)
			tasks.push_back(&row);
	std::ranges::sort(tasks, std::greater(), [](const TaskWaits* row) { return row->waits.sum_ns; });
	Table table;
	table.columns = {{"pid"},     {"task", false},  {"waits"},        {"sum ms"},
			 {"mean us"}, {"max us, ever"}, {"cgroup", false}};
	for (size_t i = 0; i < std::min(tasks.size(), kRowsMax); i++) {
		const WaitSums& waits = tasks[i]->waits;
		table.rows.push_back({.cells = {{fmt::format("{}", tasks[i]->pid)},
						{tasks[i]->comm},
						{count_text(waits.nr)},
						{fmt::format("{:.1f}", static_cast<double>(waits.sum_ns) / 1e6)},
						{us_text(waits.sum_ns / waits.nr)},
						{us_text(waits.max_ns)},
						{name_of(tasks[i]->cgroup_id, window)}}});
	}
	return table_text(table) + more_text(tasks.size());
}

}  // namespace

std::string waits_histogram_text(const WaitSnapshot& window)
{
	const WaitCounts all = window.all();
	if (all.count() == 0)
		return "nobody waited\n";
	Table table = wait_table({"wait after", false});
	auto add = [&table](std::string_view name, const WaitCounts& waits) {
		TableRow row = {.cells = {{std::string(name)}}};
		add_wait_cells(waits, &row);
		table.rows.push_back(std::move(row));
	};
	for (u32 kind = 0; kind < kWaitKinds; kind++)
		add(kWaitKindNames[kind], window.of_kind(static_cast<WaitKind>(kind)));
	add("all", all);
	if (window.waking)
		add("(waking to wakeup)", *window.waking);
	return bars_text(all) + "\n" + table_text(table);
}

std::string waits_table_text(const WaitSnapshot& window, WaitsBy by)
{
	switch (by) {
	case WaitsBy::cpu:
		return cpu_table(window);
	case WaitsBy::cgroup:
		return cgroup_table(window);
	case WaitsBy::task:
		return task_table(window);
	case WaitsBy::kind:
		break;
	}
	return "";
}

std::string waits_losses_text(const WaitSnapshot& window)
{
	const WaitLosses& losses = window.losses;
	std::string text = fmt::format(
	    "lost {}, discarded {}, unknown start {}; wakeups while running {}, while queued {}; unseen switches {}, "
	    "outliers dropped {}\n",
	    losses.lost, losses.discarded, losses.unknown_start, losses.wakeup_while_running,
	    losses.wakeup_while_queued, losses.unseen_switches, losses.outliers_dropped);
	text += fmt::format("quantiles err upwards by at most {:.1f} %", 100 * WaitCounts::kErrorMax);
	if (window.open.nr > 0)
		text += fmt::format("; {} still wait, the longest for {} us: {} ({})", window.open.nr,
				    us_text(window.open.longest_ns), clean_text(window.open.comm), window.open.pid);
	return text + "\n";
}

std::string outliers_text(const std::vector<WaitOutlier>& outliers, const WaitSnapshot& window)
{
	std::vector<WaitOutlier> longest = outliers;
	std::ranges::sort(longest, std::greater(), &WaitOutlier::wait_ns);
	longest.resize(std::min(longest.size(), kRowsMax));
	std::string text;
	for (const WaitOutlier& outlier : longest) {
		text += fmt::format("{} ({}) of {} waited {} us on cpu {} after {}", clean_text(outlier.comm),
				    outlier.pid, name_of(outlier.cgroup_id, window), us_text(outlier.wait_ns),
				    outlier.cpu, kWaitKindNames[static_cast<u32>(outlier.kind)]);
		for (const Runner& runner : outlier.runners)
			text += fmt::format("{} {} ({}) {} us", &runner == outlier.runners.data() ? ":" : ",",
					    clean_text(runner.comm), runner.pid, us_text(runner.ran_ns));
		text += "\n";
	}
	return text + more_text(outliers.size());
}

}  // namespace punctual
