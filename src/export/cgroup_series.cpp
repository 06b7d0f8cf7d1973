// SPDX-License-Identifier: GPL-2.0-only
#include "export/cgroup_series.h"

#include <algorithm>
#include <tuple>

#include "export/metric_text.h"

namespace punctual {
namespace {

constexpr u64 kRankEachNs = 60'000'000'000;
constexpr u64 kForgottenNs = 1000;  // "of late" is halved at each ranking: below this a cgroup counts as idle

void merge(CgroupWaits& to, const CgroupWaits& row)
{
	to.waits.merge(row.waits);
	to.throttling.nr_periods += row.throttling.nr_periods;
	to.throttling.nr_throttled += row.throttling.nr_throttled;
	to.throttling.throttled_ns += row.throttling.throttled_ns;
}

}  // namespace

void CgroupSeries::add(const WaitSnapshot& interval)
{
	std::vector<const CgroupWaits*> rows;
	rows.reserve(interval.cgroups.size());
	for (const CgroupWaits& row : interval.cgroups) {
		if (row.id == 0) {
			merge(other_, row);
		} else if (row.waits.count() > 0 || row.throttling.nr_periods > 0) {
			rows.push_back(&row);
			waited_ns_[metric_label(row.path)] += row.waits.sum_ns;
		}
	}
	if (interval.at_ns - ranked_at_ns_ >= kRankEachNs) {
		rank();
		ranked_at_ns_ = interval.at_ns;
	}
	let_in(std::move(rows));
}

// While there is room, in the order of their waits.
void CgroupSeries::let_in(std::vector<const CgroupWaits*> rows)
{
	std::ranges::sort(rows, [](const CgroupWaits* a, const CgroupWaits* b) {
		return std::tie(b->waits.sum_ns, a->path) < std::tie(a->waits.sum_ns, b->path);
	});
	for (const CgroupWaits* row : rows) {
		const std::string path = metric_label(row->path);
		auto mine = series_.find(path);
		if (mine == series_.end() && series_.size() < nr_max_) {
			mine = series_.try_emplace(path).first;
			mine->second.id = row->id;
			mine->second.path = path;
		}
		merge(mine == series_.end() ? other_ : mine->second, *row);
	}
}

void CgroupSeries::rank()
{
	const auto by_wait = [](const auto& a, const auto& b) { return a.second < b.second; };
	std::vector<std::pair<std::string, u64>> inside;
	std::vector<std::pair<std::string, u64>> outside;
	for (const auto& [path, waited_ns] : waited_ns_)
		(series_.contains(path) ? inside : outside).emplace_back(path, waited_ns);
	for (const auto& [path, row] : series_)
		if (!waited_ns_.contains(path))
			inside.emplace_back(path, 0);
	if (series_.size() >= nr_max_ && !inside.empty() && !outside.empty()) {
		const auto least = std::ranges::min_element(inside, by_wait);
		const auto most = std::ranges::max_element(outside, by_wait);
		if (most->second / 2 > least->second)
			series_.erase(least->first);  // the place goes to who waits most in this interval
	}
	for (auto& [path, waited_ns] : waited_ns_)
		waited_ns /= 2;
	std::erase_if(waited_ns_, [](const auto& row) { return row.second < kForgottenNs; });
}

std::vector<CgroupWaits> CgroupSeries::rows() const
{
	std::vector<CgroupWaits> rows;
	rows.reserve(series_.size() + 1);
	for (const auto& [path, row] : series_)
		rows.push_back(row);
	if (other_.waits.count() > 0 || other_.throttling.nr_periods > 0) {
		rows.push_back(other_);
		rows.back().path = "(other)";
	}
	return rows;
}

}  // namespace punctual
