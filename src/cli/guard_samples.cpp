// SPDX-License-Identifier: GPL-2.0-only
#include "cli/guard_samples.h"

#include <algorithm>

#include "base/cgroup.h"
#include "base/clock.h"
#include "object/class_waits.h"
#include "object/loaded.h"

namespace punctual {
namespace {

// CPU time of all that has a budget. A cgroup's own time is in that of the one above it already.
std::optional<uint64_t> budgeted_us(const std::vector<class_stats>& rows)
{
	std::vector<std::string> directories;
	directories.reserve(rows.size());
	for (const class_stats& row : rows)
		if (auto directory = cgroup_by_id(row.cgroup_id); directory && *directory)
			directories.push_back((*directory)->native() + "/");
	std::ranges::sort(directories);
	uint64_t sum_us = 0;
	std::string counted = "?";
	for (const std::string& directory : directories) {
		if (directory.starts_with(counted))
			continue;
		const Result<uint64_t> usage_us = cgroup_cpu_usage_us(directory);
		if (!usage_us)
			return std::nullopt;
		sum_us += *usage_us;
		counted = directory;
	}
	return sum_us;
}

class_stats row_of(const std::vector<class_stats>& rows, uint64_t cgroup_id)
{
	const auto row = std::ranges::find(rows, cgroup_id, &class_stats::cgroup_id);
	return row == rows.end() ? class_stats{} : *row;
}

}  // namespace

GuardSamples::GuardSamples(const std::vector<SloRule>& rules)
{
	for (const SloRule& rule : rules)
		if (!rule.cgroup.empty())
			cgroups_.insert(rule.cgroup);
}

void GuardSamples::add_classes(const std::vector<class_stats>& rows, SloSample* sample)
{
	sample->classes.reserve(cgroups_.size());
	for (const std::string& name : cgroups_) {
		const auto directory = finder_.find(name);
		const Result<uint64_t> id = directory ? cgroup_id(*directory) : Result<uint64_t>(0);
		const class_stats now = id && *id != 0 ? row_of(rows, *id) : class_stats{};
		if (now.cgroup_id == 0)
			continue;
		const class_stats before = row_of(classes_before_, now.cgroup_id);
		if (now.nr_waits < before.nr_waits)  // its row was given away and back
			continue;
		const class_stats row = class_waits_between(before, now);
		sample->classes.push_back({.cgroup = name,
					   .nr_waits = row.nr_waits,
					   .p50_ns = wait_quantile_ns(row, 0.5),
					   .p99_ns = wait_quantile_ns(row, 0.99),
					   .p999_ns = wait_quantile_ns(row, 0.999),
					   .nr_missed = row.nr_missed});
	}
}

std::optional<SloSample> GuardSamples::take(size_t nr_cpus)
{
	const Result<std::optional<LoadedScheduler>> loaded = loaded_scheduler();
	if (!loaded || !*loaded)
		return std::nullopt;
	const LoadedScheduler& scheduler = **loaded;
	SloSample sample{.at_ns = static_cast<int64_t>(monotonic_ns())};
	const std::optional<uint64_t> nr_starved =
	    scheduler.stats ? std::optional(scheduler.stats->nr_starved) : std::nullopt;
	const std::optional<uint64_t> used_us =
	    scheduler.classes.empty() ? std::nullopt : budgeted_us(scheduler.classes);
	if (has_before_) {
		add_classes(scheduler.classes, &sample);
		if (nr_starved && nr_starved_before_ && *nr_starved >= *nr_starved_before_)
			sample.nr_starved = *nr_starved - *nr_starved_before_;
		const double capacity_us =
		    static_cast<double>(sample.at_ns - before_ns_) / 1000 * static_cast<double>(nr_cpus);
		if (used_us && budgeted_us_before_ && *used_us >= *budgeted_us_before_ && capacity_us > 0)
			sample.normal_share = std::clamp(
			    1 - static_cast<double>(*used_us - *budgeted_us_before_) / capacity_us, 0.0, 1.0);
	}
	const bool is_whole = std::exchange(has_before_, true);
	before_ns_ = sample.at_ns;
	classes_before_ = scheduler.classes;
	nr_starved_before_ = nr_starved;
	budgeted_us_before_ = used_us;
	return is_whole ? std::optional(sample) : std::nullopt;
}

}  // namespace punctual
