// SPDX-License-Identifier: GPL-2.0-only
// Reads the counters of the kernel and makes totals of them.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include <bpf/bpf.h>

#include "base/file.h"
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

Status read_element(int fd, u32 key, void* value)
{
	if (bpf_map_lookup_elem(fd, &key, value) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot read the counters of the run-queue probes");
	return {};
}

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

u64 value_of(std::string_view text, std::string_view key)
{
	const size_t at = text.find(key);
	u64 value = 0;
	if (at != std::string_view::npos)
		std::from_chars(text.data() + at + key.size(), text.data() + text.size(), value);
	return value;
}

// nullopt when it was removed, or when there is no cpu controller there.
std::optional<Throttling> throttling_of(const std::filesystem::path& directory)
{
	if (directory.empty())
		return std::nullopt;
	const auto text = read_file(directory / "cpu.stat");
	if (!text)
		return std::nullopt;
	return Throttling{value_of(*text, "nr_periods "), value_of(*text, "nr_throttled "),
			  value_of(*text, "throttled_usec ") * 1000};
}

std::string text_of(const char (&comm)[RUNQ_COMM_BYTES])
{
	return std::string(comm, strnlen(comm, sizeof(comm)));
}

}  // namespace

Collector::State::State(const CollectorOptions& given, CgroupNames learnt, Probes loaded)
    : options(given),
      names(std::move(learnt)),
      probes(std::move(loaded)),
      cpu_values(probes.nr_cpus),
      row_values(probes.nr_cpus),
      row_counters(probes.nr_rows),
      throttling(probes.nr_rows)
{
	names.set_paths_map(probes.map_fd("runq_paths"));
}

std::optional<u64> Collector::State::id_of_row(u32 row) const
{
	if (row == 0)
		return 0;
	const u64 id = row < RUNQ_ROWS_MAX ? probes.control->cgroup_ids[row] : 0;
	return id == 0 ? std::nullopt : std::optional(id);
}

Status Collector::State::read_cpus(WaitSnapshot* snapshot)
{
	TRY(read_element(probes.map_fd("runq_cpus"), 0, cpu_values.data()));
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

Status Collector::State::read_cgroups(WaitSnapshot* snapshot)
{
	const u32 nr_used = std::min(probes.control->nr_rows + 1, probes.nr_rows);
	std::vector<const runq_histogram*> parts;
	parts.reserve(row_values.size());
	for (const runq_histogram& value : row_values)
		parts.push_back(&value);
	for (u32 row = 0; row < nr_used; row++) {
		const auto id = id_of_row(row);
		if (!id)
			continue;
		TRY(read_element(probes.map_fd("runq_rows"), row, row_values.data()));
		row_counters[row].update(parts);
		if (row == 0 && row_counters[row].total().buckets.empty())
			continue;  // the others are told of all the same: somebody may have waited for them
		CgroupWaits waits;
		waits.id = *id;
		waits.path = "(other)";
		waits.waits = row_counters[row].total();
		if (row != 0) {
			const CgroupName& name = names.look_up(*id);
			waits.path = name.path;
			waits.removed = name.removed;
			throttling[row] = throttling_of(name.directory).value_or(throttling[row]);
		}
		waits.throttling = throttling[row];
		snapshot->cgroups.push_back(std::move(waits));
	}
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
						   .cgroup_id = id_of_row(record.row).value_or(0),
						   .waits = {record.nr, record.sum_ns, record.max_ns}});
	}
	return {};
}

void Collector::State::read_culprits(WaitSnapshot* snapshot) const
{
	const u32 nr_used = std::min(probes.control->nr_rows + 1, probes.nr_rows);
	const size_t stride = probes.nr_rows + 1;
	for (u32 victim = 0; victim < nr_used; victim++)
		for (u32 culprit = 0; culprit <= nr_used; culprit++) {
			const bool unknown = culprit == nr_used;
			const u64 ran_ns =
			    probes.culprits.get()[victim * stride + (unknown ? probes.nr_rows : culprit)];
			const auto victim_id = id_of_row(victim);
			const auto culprit_id = unknown ? std::optional(kUnknownCulprit) : id_of_row(culprit);
			if (ran_ns != 0 && victim_id && culprit_id)
				snapshot->culprits.push_back({*victim_id, *culprit_id, ran_ns});
		}
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
