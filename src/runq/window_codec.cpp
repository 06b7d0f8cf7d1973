// SPDX-License-Identifier: GPL-2.0-only
// Windows: what changed from one snapshot to the next, rows and buckets without a change left out.
#include <algorithm>
#include <utility>

#include "base/cpu_list.h"
#include "runq/payload.h"
#include "runq/varint.h"

namespace punctual {
namespace {

constexpr u64 kSamplesMax = 1ULL << 53;  // exact as a double, and more than a century of any machine
constexpr size_t kCgroupsMax = 16384;    // in a whole recording: each may take a histogram
constexpr size_t kCulpritsMax = 1UL << 20;

u64 grown(u64 after, u64 before)
{
	return after - std::min(before, after);
}

struct CgroupFlags {
	static constexpr u64 kNamed = 1;  // its path follows
	static constexpr u64 kRemoved = 2;
};

// The sum may run ahead of the buckets by a wait: a snapshot is not taken in one moment.
bool differs(const WaitCounts& after, const WaitCounts& before)
{
	return after.buckets != before.buckets || after.sum_ns != before.sum_ns || after.max_ns != before.max_ns;
}

void put_counts(std::string& out, const WaitCounts& after, const WaitCounts& before)
{
	const WaitCounts change = after.since(before);
	put_number(out, static_cast<u64>(std::ranges::count_if(change.buckets, [](u64 count) { return count != 0; })));
	size_t expected = 0;
	for (size_t i = 0; i < change.buckets.size(); i++)
		if (change.buckets[i]) {
			put_number(out, i - expected);
			put_number(out, change.buckets[i]);
			expected = i + 1;
		}
	put_number(out, change.sum_ns);
	put_number(out, change.max_ns);
}

// False when the counts are impossible. *nr_samples grows by them.
bool read_counts(PayloadReader& in, WaitCounts* counts, u64* nr_samples)
{
	const u64 nr_changed = in.number(LOGLIN_RUNQ_BUCKETS);
	if (nr_changed)
		counts->buckets.resize(LOGLIN_RUNQ_BUCKETS);
	u64 index = 0;
	for (u64 i = 0; i < nr_changed; i++, index++) {
		index += in.number(LOGLIN_RUNQ_BUCKETS);
		if (in.failed() || index >= LOGLIN_RUNQ_BUCKETS)
			return false;
		counts->buckets[index] = in.number(kSamplesMax);
		*nr_samples += counts->buckets[index];
		if (*nr_samples > kSamplesMax)
			return false;
	}
	counts->sum_ns = in.number();
	counts->max_ns = in.number();
	return !in.failed();
}

void put_cpu(std::string& out, const CpuWaits& after, const CpuWaits& before)
{
	put_number(out, after.cpu);
	u64 kinds = 0;
	for (u32 kind = 0; kind < kWaitKinds; kind++)
		kinds |= u64{differs(after.kinds[kind], before.kinds[kind])} << kind;
	put_number(out, kinds);
	for (u32 kind = 0; kind < kWaitKinds; kind++)
		if (kinds & (1U << kind))
			put_counts(out, after.kinds[kind], before.kinds[kind]);
}

void put_cgroup(std::string& out, const CgroupWaits& after, const CgroupWaits& before, bool is_new)
{
	const bool named = is_new || after.path != before.path;
	put_number(out, after.id);
	put_number(out, (named ? CgroupFlags::kNamed : 0) | (after.removed ? CgroupFlags::kRemoved : 0));
	if (named)
		put_text(out, after.path);
	put_counts(out, after.waits, before.waits);
	put_number(out, grown(after.throttling.nr_periods, before.throttling.nr_periods));
	put_number(out, grown(after.throttling.nr_throttled, before.throttling.nr_throttled));
	put_number(out, grown(after.throttling.throttled_ns, before.throttling.throttled_ns));
}

// The rows of `after` that differ from those of `before` with the same key, counted first.
template <typename Row, typename Key, typename Put>
void put_rows(std::string& out, const std::vector<Row>& after, const std::vector<Row>& before, Key key, Put put)
{
	std::map<decltype(key(after.front())), const Row*> old;
	for (const Row& row : before)
		old[key(row)] = &row;
	std::string rows;
	u64 nr = 0;
	for (const Row& row : after) {
		const auto found = old.find(key(row));
		if (found != old.end() && *found->second == row)
			continue;
		put(rows, row, found == old.end() ? nullptr : found->second);
		nr++;
	}
	put_number(out, nr);
	out += rows;
}

WaitLosses losses_of(PayloadReader& in)
{
	WaitLosses losses;
	for (const auto field : kLossFields)
		losses.*field = in.number(kSamplesMax);
	return losses;
}

// How many rows follow, at most `most`.
size_t rows_of(PayloadReader& in, size_t most)
{
	const size_t nr = in.count();
	return nr <= most ? nr : in.number(0);
}

}  // namespace

// A reader takes so many cgroups and no more: those that come later are among the others.
WaitSnapshot WindowEncoder::told_of(const WaitSnapshot& given)
{
	for (const CgroupWaits& row : given.cgroups)
		if (told_.size() < kCgroupsMax - 1)
			told_.insert(row.id);
	return fold_cgroups(given, [this](u64 id) { return told_.contains(id); });
}

std::string WindowEncoder::encode(const WaitSnapshot& given)
{
	WaitSnapshot snapshot = told_of(given);
	sent_ = fold_cgroups(std::move(sent_), [&](u64 id) { return snapshot.cgroup(id) != nullptr; });
	std::string out(1, static_cast<char>(FrameKind::window));
	put_number(out, grown(snapshot.at_ns, sent_.at_ns));
	put_rows(
	    out, snapshot.cpus, sent_.cpus, [](const CpuWaits& row) { return row.cpu; },
	    [](std::string& to, const CpuWaits& row, const CpuWaits* old) {
		    put_cpu(to, row, old ? *old : CpuWaits());
	    });
	put_rows(
	    out, snapshot.cgroups, sent_.cgroups, [](const CgroupWaits& row) { return row.id; },
	    [](std::string& to, const CgroupWaits& row, const CgroupWaits* old) {
		    put_cgroup(to, row, old ? *old : CgroupWaits(), old == nullptr);
	    });
	put_rows(
	    out, snapshot.culprits, sent_.culprits,
	    [](const Culprit& row) { return std::pair(row.victim_id, row.culprit_id); },
	    [](std::string& to, const Culprit& row, const Culprit* old) {
		    put_number(to, row.victim_id);
		    put_number(to, row.culprit_id);
		    put_number(to, grown(row.ran_ns, old ? old->ran_ns : 0));
	    });
	put_number(out, snapshot.waking.has_value());
	if (snapshot.waking)
		put_counts(out, *snapshot.waking, sent_.waking.value_or(WaitCounts()));
	for (const auto field : kLossFields)
		put_number(out, grown(snapshot.losses.*field, sent_.losses.*field));
	put_number(out, snapshot.open.nr);
	put_number(out, snapshot.open.longest_ns);
	put_number(out, snapshot.open.pid);
	put_text(out, snapshot.open.comm);
	sent_ = std::move(snapshot);
	return out;
}

bool WindowDecoder::read_cpus(PayloadReader& in, WaitSnapshot* window)
{
	for (size_t left = rows_of(in, CpuList::kCpusMax); left && !in.failed(); left--) {
		CpuWaits& row = window->cpus.emplace_back();
		row.cpu = static_cast<u32>(in.number(CpuList::kCpusMax - 1));
		const u64 kinds = in.number((1U << kWaitKinds) - 1);
		for (u32 kind = 0; kind < kWaitKinds; kind++)
			if ((kinds & (1U << kind)) && !read_counts(in, &row.kinds[kind], &nr_samples_))
				return false;
	}
	return !in.failed();
}

bool WindowDecoder::read_cgroups(PayloadReader& in, WaitSnapshot* window)
{
	u64 nr_samples = 0;  // those of the CPUs once more
	for (size_t left = rows_of(in, kCgroupsMax); left && !in.failed(); left--) {
		CgroupWaits& row = window->cgroups.emplace_back();
		row.id = in.number();
		const u64 flags = in.number(CgroupFlags::kNamed | CgroupFlags::kRemoved);
		std::string& path = paths_[row.id];
		if (flags & CgroupFlags::kNamed)
			path = in.text();
		row.path = path;
		row.removed = flags & CgroupFlags::kRemoved;
		if (!read_counts(in, &row.waits, &nr_samples) || paths_.size() > kCgroupsMax)
			return false;
		row.throttling.nr_periods = in.number(kSamplesMax);
		row.throttling.nr_throttled = in.number(kSamplesMax);
		row.throttling.throttled_ns = in.number();
	}
	return !in.failed();
}

std::optional<WaitSnapshot> WindowDecoder::decode(std::string_view payload)
{
	PayloadReader in(payload.substr(1));
	WaitSnapshot window;
	window.at_ns = at_ns_ += in.number();
	if (!read_cpus(in, &window) || !read_cgroups(in, &window))
		return std::nullopt;
	for (size_t left = rows_of(in, kCulpritsMax); left && !in.failed(); left--) {
		Culprit& row = window.culprits.emplace_back();
		row.victim_id = in.number();
		row.culprit_id = in.number();
		row.ran_ns = in.number();
	}
	u64 nr_waking = 0;
	if (in.number(1) && !read_counts(in, &window.waking.emplace(), &nr_waking))
		return std::nullopt;
	window.losses = losses_of(in);
	window.open.nr = in.number(kSamplesMax);
	window.open.longest_ns = in.number();
	window.open.pid = static_cast<u32>(in.number(~0U));
	window.open.comm = in.text();
	return in.is_done() ? std::optional(std::move(window)) : std::nullopt;
}

}  // namespace punctual
