// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <map>
#include <utility>

#include "base/file.h"
#include "runq/frame.h"
#include "runq/payload.h"
#include "runq/recording.h"

namespace punctual {
namespace {

constexpr size_t kFileBytesMax = 2UL << 30;
constexpr size_t kChangesMax = 100'000;
constexpr size_t kCulpritsMax = 1UL << 20;

// Adds windows up. Rows are found by key, whatever their order.
class Total {
 public:
	void add(const WaitSnapshot& window);
	WaitSnapshot snapshot() const;

 private:
	std::map<u32, CpuWaits> cpus_;
	std::map<u64, CgroupWaits> cgroups_;
	std::map<std::pair<u64, u64>, u64> culprits_;  // what ran for how long
	WaitSnapshot rest_;
};

void Total::add(const WaitSnapshot& window)
{
	for (const CpuWaits& row : window.cpus) {
		CpuWaits& sum = cpus_[row.cpu];
		sum.cpu = row.cpu;
		for (u32 kind = 0; kind < kWaitKinds; kind++)
			sum.kinds[kind].merge(row.kinds[kind]);
	}
	for (const CgroupWaits& row : window.cgroups) {
		CgroupWaits& sum = cgroups_[row.id];
		sum.id = row.id;
		sum.path = row.path;
		sum.removed = row.removed;
		sum.waits.merge(row.waits);
		sum.throttling.nr_periods += row.throttling.nr_periods;
		sum.throttling.nr_throttled += row.throttling.nr_throttled;
		sum.throttling.throttled_ns += row.throttling.throttled_ns;
	}
	for (const Culprit& row : window.culprits)
		if (culprits_.size() < kCulpritsMax)
			culprits_[{row.victim_id, row.culprit_id}] += row.ran_ns;
	if (window.waking) {
		if (!rest_.waking)
			rest_.waking.emplace();
		rest_.waking->merge(*window.waking);
	}
	for (const auto field : kLossFields)
		rest_.losses.*field += window.losses.*field;
	rest_.open = window.open;
	rest_.at_ns = window.at_ns;
}

WaitSnapshot Total::snapshot() const
{
	WaitSnapshot sum = rest_;
	for (const auto& [cpu, row] : cpus_)
		sum.cpus.push_back(row);
	for (const auto& [id, row] : cgroups_)
		sum.cgroups.push_back(row);
	for (const auto& [pair, ran_ns] : culprits_)
		sum.culprits.push_back({pair.first, pair.second, ran_ns});
	return sum;
}

// One pass over the frames.
class Reading {
 public:
	Reading(const RecordingEnvironment& environment, const WindowSink& each_window)
	    : each_window_(each_window), begin_ns_(environment.start_ns)
	{
		recording_.environment = environment;
		recording_.was_cut = true;  // until an end frame comes
	}

	bool take(std::string_view payload);  // false: no writer wrote that
	bool ended() const { return !recording_.was_cut; }
	Recording finish(std::string damage) &&;

 private:
	bool take_window(std::string_view payload);
	bool take_outliers(std::string_view payload);

	const WindowSink& each_window_;
	Recording recording_;
	WindowDecoder decoder_;
	Total total_;
	u64 begin_ns_;
};

bool Reading::take_window(std::string_view payload)
{
	const std::optional<WaitSnapshot> window = decoder_.decode(payload);
	if (!window)
		return false;
	total_.add(*window);
	recording_.nr_windows++;
	if (each_window_)
		each_window_(std::min(begin_ns_, window->at_ns), *window);
	begin_ns_ = window->at_ns;
	return true;
}

// Of twice as many as are kept the shorter half goes.
void keep_longest(std::vector<WaitOutlier>& outliers, size_t kept)
{
	std::ranges::nth_element(outliers, outliers.begin() + static_cast<ptrdiff_t>(kept), std::greater(),
				 &WaitOutlier::wait_ns);
	outliers.resize(kept);
}

bool Reading::take_outliers(std::string_view payload)
{
	auto outliers = outliers_of(payload);
	if (!outliers)
		return false;
	recording_.nr_outliers += outliers->size();
	std::ranges::move(*outliers, std::back_inserter(recording_.outliers));
	if (recording_.outliers.size() > 2 * Recording::kOutliersKept)
		keep_longest(recording_.outliers, Recording::kOutliersKept);
	return true;
}

bool Reading::take(std::string_view payload)
{
	switch (payload.empty() ? FrameKind{} : static_cast<FrameKind>(payload.front())) {
	case FrameKind::window:
		return take_window(payload);
	case FrameKind::outliers:
		return take_outliers(payload);
	case FrameKind::scheduler: {
		const auto change = scheduler_of(payload);
		if (change && recording_.changes.size() < kChangesMax)
			recording_.changes.push_back(*change);
		return change.has_value();
	}
	case FrameKind::end:
		recording_.was_cut = false;
		return true;
	case FrameKind::environment:
		return false;  // there is one, the first frame
	}
	return !payload.empty();  // a kind that a later version added
}

Recording Reading::finish(std::string damage) &&
{
	recording_.total = total_.snapshot();
	recording_.damage = std::move(damage);
	std::ranges::sort(recording_.outliers, {}, &WaitOutlier::end_ns);
	return std::move(recording_);
}

}  // namespace

Result<Recording> parse_recording(std::span<const std::byte> file, const WindowSink& each_window)
{
	FrameReader frames = TRY(FrameReader::open(file));
	const std::optional<std::string> first = frames.next();
	if (!first)
		return fail(ExitCode::usage, "the recording holds nothing{}{}", frames.damage().empty() ? "" : ": ",
			    frames.damage());
	const bool is_environment = !first->empty() && static_cast<FrameKind>(first->front()) == FrameKind::environment;
	const auto environment = is_environment ? environment_of(*first) : std::nullopt;
	if (!environment)
		return fail(ExitCode::usage, "the recording does not begin with its environment: it is damaged");
	Reading reading(*environment, each_window);
	std::string damage;
	for (size_t at = frames.offset(); !reading.ended(); at = frames.offset()) {
		const std::optional<std::string> payload = frames.next();
		if (!payload)
			break;
		if (!reading.take(*payload)) {
			damage = fmt::format("the frame at byte {} makes no sense", at);
			break;
		}
	}
	return std::move(reading).finish(damage.empty() ? frames.damage() : damage);
}

Result<Recording> read_recording(const std::filesystem::path& path, const WindowSink& each_window)
{
	const auto file = read_file(path, kFileBytesMax);
	if (!file)
		return fail(ExitCode::usage, "{}", file.error().what);
	auto recording = parse_recording(std::as_bytes(std::span(*file)), each_window);
	if (!recording)
		return fail(recording.error().code, "{}: {}", path.native(), recording.error().what);
	return recording;
}

}  // namespace punctual
