// SPDX-License-Identifier: GPL-2.0-only
#include "measure/waits.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace punctual {

u64 WaitCounts::count() const
{
	u64 nr = 0;
	for (u64 bucket : buckets)
		nr += bucket;
	return nr;
}

void WaitCounts::record(u64 wait_ns, u64 times)
{
	if (buckets.empty())
		buckets.resize(LOGLIN_RUNQ_BUCKETS);
	buckets[loglin_index_capped(wait_ns, LOGLIN_RUNQ_BITS, LOGLIN_RUNQ_VALUE_BITS)] += times;
	sum_ns += wait_ns * times;
	max_ns = std::max(max_ns, wait_ns);
}

void WaitCounts::merge(const WaitCounts& other)
{
	if (buckets.empty())
		buckets.resize(other.buckets.size());
	for (size_t i = 0; i < other.buckets.size(); i++)
		buckets[i] += other.buckets[i];
	sum_ns += other.sum_ns;
	max_ns = std::max(max_ns, other.max_ns);
}

WaitCounts WaitCounts::since(const WaitCounts& before) const
{
	WaitCounts difference = *this;
	for (size_t i = 0; i < before.buckets.size() && i < buckets.size(); i++)
		difference.buckets[i] -= std::min(before.buckets[i], buckets[i]);
	difference.sum_ns -= std::min(before.sum_ns, sum_ns);
	// The longest since then lies in the highest bucket that counted since; if it is the longest of all, it is
	// ours.
	u32 top = static_cast<u32>(difference.buckets.size());
	while (top > 0 && difference.buckets[top - 1] == 0)
		top--;
	if (top == 0)
		difference.max_ns = 0;
	else if (top < LOGLIN_RUNQ_BUCKETS)
		difference.max_ns = std::min(max_ns, loglin_max(top - 1, LOGLIN_RUNQ_BITS));
	return difference;
}

u64 WaitCounts::quantile_ns(double q) const
{
	const u64 nr = count();
	if (nr == 0)
		return 0;
	const auto rank =
	    std::clamp<u64>(static_cast<u64>(std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(nr))), 1, nr);
	u64 seen = 0;
	u32 index = 0;
	while ((seen += buckets[index]) < rank)
		index++;
	// The last bucket has no end of its own: everything longer is in it.
	return index + 1 == LOGLIN_RUNQ_BUCKETS ? max_ns : std::min(loglin_max(index, LOGLIN_RUNQ_BITS), max_ns);
}

WaitCounts CpuWaits::all() const
{
	WaitCounts sum;
	for (const WaitCounts& kind : kinds)
		sum.merge(kind);
	return sum;
}

WaitCounts WaitSnapshot::all() const
{
	WaitCounts sum;
	for (const CpuWaits& cpu : cpus)
		sum.merge(cpu.all());
	return sum;
}

WaitCounts WaitSnapshot::of_kind(WaitKind kind) const
{
	WaitCounts sum;
	for (const CpuWaits& cpu : cpus)
		sum.merge(cpu.kinds[std::to_underlying(kind)]);
	return sum;
}

const CgroupWaits* WaitSnapshot::cgroup(u64 id) const
{
	const auto found = std::ranges::find(cgroups, id, &CgroupWaits::id);
	return found == cgroups.end() ? nullptr : &*found;
}

std::string cgroup_path(const WaitSnapshot& waits, u64 id)
{
	if (id == kUnknownCulprit)
		return "(unknown)";
	if (id == 0)
		return "(other)";
	const CgroupWaits* row = waits.cgroup(id);
	return row && !row->path.empty() ? row->path : "(id " + std::to_string(id) + ")";
}

namespace {

WaitSums since(const WaitSums& after, const WaitSums& before)
{
	return {after.nr - std::min(before.nr, after.nr), after.sum_ns - std::min(before.sum_ns, after.sum_ns),
		after.max_ns};
}

WaitLosses since(WaitLosses after, const WaitLosses& before)
{
	for (const auto field : kLossFields)
		after.*field -= before.*field;
	return after;
}

// Subtracts from each row of `after` its counterpart in `before`, found by `key`.
template <typename Row, typename Key, typename Subtract>
void subtract_rows(std::vector<Row>& after, const std::vector<Row>& before, Key key, Subtract subtract)
{
	std::map<decltype(key(before.front())), const Row*> old;
	for (const Row& row : before)
		old[key(row)] = &row;
	for (Row& row : after)
		if (const auto found = old.find(key(row)); found != old.end())
			subtract(row, *found->second);
}

}  // namespace

WaitSnapshot fold_cgroups(WaitSnapshot snapshot, const std::function<bool(u64 id)>& is_told)
{
	CgroupWaits others;
	others.path = "(other)";
	const auto folds = [&](const CgroupWaits& row) { return row.id == 0 || !is_told(row.id); };
	if (std::ranges::all_of(snapshot.cgroups, [&](const CgroupWaits& row) { return row.id == 0 || !folds(row); }))
		return snapshot;
	for (const CgroupWaits& row : snapshot.cgroups)
		if (folds(row)) {
			others.waits.merge(row.waits);
			others.throttling.nr_periods += row.throttling.nr_periods;
			others.throttling.nr_throttled += row.throttling.nr_throttled;
			others.throttling.throttled_ns += row.throttling.throttled_ns;
		}
	std::map<std::pair<u64, u64>, u64> ran_ns;
	const auto told = [&](u64 id) { return id == kUnknownCulprit || is_told(id) ? id : 0; };
	for (const Culprit& row : snapshot.culprits)
		ran_ns[{told(row.victim_id), told(row.culprit_id)}] += row.ran_ns;
	snapshot.culprits.clear();
	for (const auto& [ids, ns] : ran_ns)
		snapshot.culprits.push_back({ids.first, ids.second, ns});
	std::erase_if(snapshot.cgroups, folds);
	snapshot.cgroups.insert(snapshot.cgroups.begin(), std::move(others));
	return snapshot;
}

WaitSnapshot waits_between(const WaitSnapshot& earlier, const WaitSnapshot& after)
{
	const WaitSnapshot before = fold_cgroups(earlier, [&](u64 id) { return after.cgroup(id) != nullptr; });
	WaitSnapshot window = after;
	subtract_rows(
	    window.cpus, before.cpus, [](const CpuWaits& row) { return row.cpu; },
	    [](CpuWaits& row, const CpuWaits& old) {
		    for (u32 kind = 0; kind < kWaitKinds; kind++)
			    row.kinds[kind] = row.kinds[kind].since(old.kinds[kind]);
	    });
	subtract_rows(
	    window.cgroups, before.cgroups, [](const CgroupWaits& row) { return row.id; },
	    [](CgroupWaits& row, const CgroupWaits& old) {
		    row.waits = row.waits.since(old.waits);
		    row.throttling.nr_periods -= std::min(old.throttling.nr_periods, row.throttling.nr_periods);
		    row.throttling.nr_throttled -= std::min(old.throttling.nr_throttled, row.throttling.nr_throttled);
		    row.throttling.throttled_ns -= std::min(old.throttling.throttled_ns, row.throttling.throttled_ns);
	    });
	subtract_rows(
	    window.tasks, before.tasks, [](const TaskWaits& row) { return std::pair(row.pid, row.start_ns); },
	    [](TaskWaits& row, const TaskWaits& old) { row.waits = since(row.waits, old.waits); });
	subtract_rows(
	    window.culprits, before.culprits,
	    [](const Culprit& row) { return std::pair(row.victim_id, row.culprit_id); },
	    [](Culprit& row, const Culprit& old) { row.ran_ns -= std::min(old.ran_ns, row.ran_ns); });
	if (window.waking && before.waking)
		window.waking = window.waking->since(*before.waking);
	window.losses = since(after.losses, before.losses);
	return window;
}

}  // namespace punctual
