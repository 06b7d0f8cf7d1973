// SPDX-License-Identifier: GPL-2.0-only
// What is inside the frames of a recording: one kind of payload each, a byte that says which, then its fields.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runq/recording.h"

namespace punctual {

class PayloadReader;

enum class FrameKind : u8 { environment = 1, window = 2, outliers = 3, scheduler = 4, end = 5 };

std::string environment_payload(const RecordingEnvironment& environment);
std::string outliers_payload(std::span<const WaitOutlier> outliers);
std::string scheduler_payload(const SchedulerChange& change);
std::string end_payload(u64 at_ns);

// nullopt: the payload holds what no writer writes.
std::optional<RecordingEnvironment> environment_of(std::string_view payload);
std::optional<std::vector<WaitOutlier>> outliers_of(std::string_view payload);
std::optional<SchedulerChange> scheduler_of(std::string_view payload);

// Differences between snapshots. The two ends keep the same maxima and names, so they need not be repeated.
class WindowEncoder {
 public:
	std::string encode(const WaitSnapshot& snapshot);  // what changed since the last one

 private:
	WaitSnapshot told_of(const WaitSnapshot& given);

	WaitSnapshot sent_;
	std::set<u64> told_;  // cgroups, ever
};

class WindowDecoder {
 public:
	// nullopt: the payload holds what no writer writes, or more than any kernel counts.
	std::optional<WaitSnapshot> decode(std::string_view payload);

 private:
	bool read_cpus(PayloadReader& in, WaitSnapshot* window);
	bool read_cgroups(PayloadReader& in, WaitSnapshot* window);

	std::map<u64, std::string> paths_;  // of cgroups, by id
	u64 at_ns_ = 0;
	u64 nr_samples_ = 0;
};

}  // namespace punctual
