// SPDX-License-Identifier: GPL-2.0-only
#include "runq/cgroup_rows.h"

#include <algorithm>
#include <charconv>
#include <cerrno>
#include <string_view>

#include <bpf/bpf.h>

#include "base/file.h"

namespace punctual {
namespace {

// A task that exits has left its cgroup, which may then be removed, but still runs for a moment.
constexpr u64 kQuietNs = 2'000'000'000;

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

// Moves what an element holds, while the kernel adds to others.
void move_ns(volatile u64* from, volatile u64* to)
{
	__atomic_fetch_add(to, __atomic_exchange_n(from, 0, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
}

}  // namespace

CgroupRows::CgroupRows(const Probes& probes) : probes_(probes), values_(probes.nr_cpus), rows_(probes.nr_rows) {}

std::optional<u64> CgroupRows::id_of(u32 row) const
{
	if (row == 0)
		return 0;
	const u64 id = row < RUNQ_ROWS_MAX ? probes_.control->cgroup_ids[row] : 0;
	return id == 0 ? std::nullopt : std::optional(id);
}

u32 CgroupRows::nr_used() const
{
	return std::min(probes_.control->nr_rows + 1, probes_.nr_rows);
}

Status CgroupRows::read(CgroupNames* names, WaitSnapshot* snapshot)
{
	std::vector<const runq_histogram*> parts;
	parts.reserve(values_.size());
	for (const runq_histogram& value : values_)
		parts.push_back(&value);
	for (u32 at = 0; at < nr_used(); at++) {
		const auto id = id_of(at);
		Row& row = rows_[at];
		if (!id)
			continue;
		if (bpf_map_lookup_elem(probes_.map_fd("runq_rows"), &at, values_.data()) != 0)
			return fail_errno(errno, ExitCode::failed, "cannot read the counters of the run-queue probes");
		const u64 before_ns = row.counter.total().sum_ns;
		row.counter.update(parts);
		CgroupWaits waits;
		waits.id = *id;
		waits.path = "(other)";
		waits.waits = row.counter.total();
		if (at == 0) {
			waits.waits.merge(given_back_);
			if (waits.waits.buckets.empty())
				continue;  // the others are told of all the same: somebody may have waited for them
		} else {
			const CgroupName& name = names->look_up(*id);
			waits.path = name.path;
			waits.removed = row.is_removed = name.removed;
			row.throttling = throttling_of(name.directory).value_or(row.throttling);
		}
		if (!row.is_removed || row.counter.total().sum_ns != before_ns)
			row.quiet_since_ns = 0;
		waits.throttling = row.throttling;
		snapshot->cgroups.push_back(std::move(waits));
	}
	return {};
}

void CgroupRows::read_culprits(WaitSnapshot* snapshot) const
{
	const size_t stride = probes_.nr_rows + 1;
	const u32 nr = nr_used();
	for (u32 victim = 0; victim < nr; victim++)
		for (u32 culprit = 0; culprit <= nr; culprit++) {
			const bool unknown = culprit == nr;
			const u64 ran_ns =
			    probes_.culprits.get()[victim * stride + (unknown ? probes_.nr_rows : culprit)];
			const auto victim_id = id_of(victim);
			const auto culprit_id = unknown ? std::optional(kUnknownCulprit) : id_of(culprit);
			if (ran_ns != 0 && victim_id && culprit_id)
				snapshot->culprits.push_back({*victim_id, *culprit_id, ran_ns});
		}
}

u32 CgroupRows::nr_free() const
{
	const runq_control& control = *probes_.control;

	return control.nr_given_back - __atomic_load_n(&control.nr_taken_again, __ATOMIC_ACQUIRE);
}

bool CgroupRows::is_free(u32 row) const
{
	const runq_control& control = *probes_.control;

	for (u32 i = nr_free(); i > 0; i--)
		if (control.given_back[(control.nr_given_back - i) % RUNQ_ROWS_MAX] == row)
			return true;
	return false;
}

Status CgroupRows::give_back(CgroupNames* names, u64 now_ns)
{
	if (4 * (nr_used() - nr_free()) < 3 * probes_.nr_rows)
		return {};
	for (u32 at = 1; at < nr_used(); at++) {
		Row& row = rows_[at];
		// Without a cgroup and not free: two CPUs took one each for the same, and one was too late.
		const bool is_unused = id_of(at) ? row.is_removed : !is_free(at);
		if (!is_unused)
			row.quiet_since_ns = 0;
		else if (row.quiet_since_ns == 0)
			row.quiet_since_ns = now_ns;
		else if (now_ns - row.quiet_since_ns >= kQuietNs)
			TRY(give_back_row(at, names));
	}
	return {};
}

// Never read and cleared while it counts: nobody is in its cgroup, and none can be.
Status CgroupRows::give_back_row(u32 at, CgroupNames* names)
{
	runq_control& control = *probes_.control;
	const std::vector<runq_histogram> zeros(values_.size());

	if (bpf_map_update_elem(probes_.map_fd("runq_rows"), &at, zeros.data(), BPF_ANY) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot give back a row of the run-queue probes");
	if (const u64 id = id_of(at).value_or(0); id != 0) {
		bpf_map_delete_elem(probes_.map_fd("runq_row_of"), &id);
		names->forget(id);
	}
	fold_culprits(at);
	given_back_.merge(rows_[at].counter.total());
	Throttling& others = rows_[0].throttling;
	others.nr_periods += rows_[at].throttling.nr_periods;
	others.nr_throttled += rows_[at].throttling.nr_throttled;
	others.throttled_ns += rows_[at].throttling.throttled_ns;
	rows_[at] = {};
	control.cgroup_ids[at] = 0;
	control.given_back[control.nr_given_back % RUNQ_ROWS_MAX] = at;
	__atomic_store_n(&control.nr_given_back, control.nr_given_back + 1, __ATOMIC_RELEASE);
	return {};
}

void CgroupRows::fold_culprits(u32 row)
{
	const size_t stride = probes_.nr_rows + 1;
	volatile u64* const cells = probes_.culprits.get();

	for (u32 culprit = 0; culprit < stride; culprit++)
		move_ns(&cells[row * stride + culprit], &cells[culprit]);
	for (u32 victim = 0; victim < probes_.nr_rows; victim++)
		move_ns(&cells[victim * stride + row], &cells[victim * stride]);
}

}  // namespace punctual
