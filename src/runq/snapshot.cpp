// SPDX-License-Identifier: GPL-2.0-only
// Reads the counters of the kernel and makes totals of them.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include <bpf/bpf.h>

#include "runq/collector_state.h"
#include "runq/task_records.h"

namespace punctual {
namespace {

constexpr u64 kFollowNrMin = 1000;  // fewer waits say nothing about one in a thousand
constexpr u64 kThresholdNsMin = 10'000;
constexpr double kFollowed = 0.999;

static_assert(sizeof(runq_cpu) % 8 == 0 && sizeof(runq_histogram) % 8 == 0,
	      "the kernel rounds per-CPU values up to 8 bytes");
static_assert(kWaitKinds == RUNQ_WAKING, "what is not of a kind comes behind");

void add_losses(const runq_losses& losses, WaitLosses* sum)
{
	sum->lost += losses.nr_lost;
	sum->discarded += losses.nr_discarded;
	sum->unknown_start += losses.nr_unknown_start;
	sum->wakeup_while_running += losses.nr_while_running;
	sum->wakeup_while_queued += losses.nr_while_queued;
	sum->unseen_switches += losses.nr_unseen;
	sum->outliers_dropped += losses.nr_outliers_dropped;
}

// How often the kernel left our programs out, because one of them was running on that CPU.
u64 recursion_misses(const std::vector<int>& programs)
{
	u64 misses = 0;
	for (int fd : programs) {
		bpf_prog_info info = {};
		u32 length = sizeof(info);
		if (bpf_prog_get_info_by_fd(fd, &info, &length) == 0)
			misses += info.recursion_misses;
	}
	return misses;
}

std::string text_of(const char (&comm)[RUNQ_COMM_BYTES])
{
	return std::string(comm, strnlen(comm, sizeof(comm)));
}

}  // namespace

Collector::State::State(const CollectorOptions& given, CgroupNames learnt, Probes loaded)
    : options(given), names(std::move(learnt)), probes(std::move(loaded)), rows(probes), cpu_values(probes.nr_cpus)
{
	names.set_paths_map(probes.map_fd("runq_paths"));
}

Status Collector::State::read_cpus(WaitSnapshot* snapshot)
{
	const u32 key = 0;
	if (bpf_map_lookup_elem(probes.map_fd("runq_cpus"), &key, cpu_values.data()) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot read the counters of the run-queue probes");
	std::vector<const runq_histogram*> waking_parts;
	for (const runq_cpu& cpu : cpu_values) {
		add_losses(cpu.losses, &snapshot->losses);
		waking_parts.push_back(&cpu.histograms[RUNQ_WAKING]);
	}
	snapshot->losses.lost += recursion_misses(probes.events);
	for (int cpu : cpus.cpus()) {
		if (static_cast<size_t>(cpu) >= cpu_values.size())
			continue;
		CpuWaits row = {.cpu = static_cast<u32>(cpu), .kinds = {}};
		for (u32 kind = 0; kind < kWaitKinds; kind++) {
			const runq_histogram* part = &cpu_values[static_cast<size_t>(cpu)].histograms[kind];
			cpu_counters[cpu][kind].update({&part, 1});
			row.kinds[kind] = cpu_counters[cpu][kind].total();
		}
		snapshot->cpus.push_back(std::move(row));
	}
	waking.update(waking_parts);
	if (options.waking)
		snapshot->waking = waking.total();
	return {};
}

Status Collector::State::read_tasks(WaitSnapshot* snapshot) const
{
	for (const runq_task_record& record : TRY(read_task_records(probes.tasks))) {
		if (options.cgroup_id && !record.in_scope)
			continue;
		if (record.open_since_ns != 0) {
			const u64 waits_ns = snapshot->at_ns - std::min(record.open_since_ns, snapshot->at_ns);
			if (snapshot->open.nr++ == 0 || waits_ns > snapshot->open.longest_ns) {
				snapshot->open.longest_ns = waits_ns;
				snapshot->open.pid = record.pid;
				snapshot->open.comm = text_of(record.comm);
			}
		}
		if (options.tasks && record.nr > 0)
			snapshot->tasks.push_back({.pid = record.pid,
						   .tgid = record.tgid,
						   .start_ns = record.start_ns,
						   .comm = text_of(record.comm),
						   .cgroup_id = rows.id_of(record.row).value_or(0),
						   .waits = {record.nr, record.sum_ns, record.max_ns}});
	}
	return {};
}

// Of what was seen since it was moved last, if that was enough.
void Collector::State::follow_threshold(const WaitCounts& all)
{
	if (options.outlier_ns_min != 0)
		return;
	const WaitCounts recent = all.since(followed);
	if (recent.count() < kFollowNrMin)
		return;
	probes.control->outlier_ns = std::max(recent.quantile_ns(kFollowed), kThresholdNsMin);
	followed = all;
}

}  // namespace punctual
