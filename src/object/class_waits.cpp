// SPDX-License-Identifier: GPL-2.0-only
#include "object/class_waits.h"

#include <algorithm>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi/loglin.h"

namespace punctual {
namespace {

class_stats sum(const std::vector<class_stats>& per_cpu)
{
	class_stats total = {};
	for (const class_stats& stats : per_cpu) {
		total.cgroup_id = stats.cgroup_id;
		total.budget_ns = stats.budget_ns;
		total.nr_waits += stats.nr_waits;
		total.nr_missed += stats.nr_missed;
		total.wait_ns_sum += stats.wait_ns_sum;
		total.wait_ns_max = std::max(total.wait_ns_max, stats.wait_ns_max);
		total.queue_ns_sum += stats.queue_ns_sum;
		total.start_ns_max = std::max(total.start_ns_max, stats.start_ns_max);
		for (u32 i = 0; i < WAIT_BUCKETS; i++)
			total.buckets[i] += stats.buckets[i];
	}
	return total;
}

}  // namespace

std::vector<class_stats> read_classes(int map_fd)
{
	static_assert(sizeof(class_stats) % 8 == 0, "the kernel rounds per-CPU values up to 8 bytes");
	std::vector<class_stats> per_cpu(static_cast<size_t>(std::max(libbpf_num_possible_cpus(), 1)));
	std::vector<class_stats> classes;
	for (u32 row = 0; row < CLASSES_MAX; row++) {
		if (bpf_map_lookup_elem(map_fd, &row, per_cpu.data()) != 0)
			return {};
		class_stats total = sum(per_cpu);
		if (total.cgroup_id != 0)
			classes.push_back(total);
	}
	return classes;
}

class_stats class_waits_between(const class_stats& before, const class_stats& after)
{
	class_stats waits = after;
	waits.nr_waits -= before.nr_waits;
	waits.nr_missed -= before.nr_missed;
	waits.wait_ns_sum -= before.wait_ns_sum;
	waits.queue_ns_sum -= before.queue_ns_sum;
	for (u32 i = 0; i < WAIT_BUCKETS; i++)
		waits.buckets[i] -= before.buckets[i];
	return waits;
}

WaitParts mean_parts(const class_stats& row)
{
	if (row.nr_waits == 0)
		return {};
	return {row.queue_ns_sum / row.nr_waits, (row.wait_ns_sum - row.queue_ns_sum) / row.nr_waits};
}

uint64_t wait_quantile_ns(const class_stats& row, double quantile)
{
	if (row.nr_waits == 0)
		return 0;
	const auto rank = static_cast<uint64_t>(quantile * static_cast<double>(row.nr_waits));
	uint64_t seen = 0;
	for (u32 i = 0; i < WAIT_BUCKETS; i++) {
		seen += row.buckets[i];
		if (seen > rank)
			return std::min<uint64_t>(loglin_max(i, WAIT_BITS), row.wait_ns_max);
	}
	return row.wait_ns_max;
}

}  // namespace punctual
