// SPDX-License-Identifier: GPL-2.0-only
// Recordings of run-queue waits: one file that a crash, a full disk or a cut can only shorten.
//
// Each append is one frame by one write (src/runq/frame.h), so what was appended stays readable whatever happens
// next. The file holds differences: a window says what happened since the one before. Readers get window after
// window and the sum of all, so their memory does not grow with the length of the recording.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "measure/waits.h"

namespace punctual {

// Where and how it was recorded.
struct RecordingEnvironment {
	std::string host;
	std::string kernel;  // release
	std::string cpu_model;
	u32 nr_cpus = 0;
	std::string scheduler;  // at the start, as SchedulerState::name
	std::string command_line;
	std::string filter;      // "" for the whole machine, else in words: "cgroup /vnf.slice"
	u64 start_wall_ns = 0;   // since 1970
	u64 start_ns = 0;        // the same moment, CLOCK_MONOTONIC as in all other times
	u64 interval_ns = 0;     // how long a window is meant to be
	u64 outlier_ns_min = 0;  // threshold of the longest waits; 0: it followed p99.9

	bool operator==(const RecordingEnvironment&) const = default;
};

// Which scheduler the kernel ran from at_ns on.
struct SchedulerState {
	std::string name = "EEVDF";  // else what /sys/kernel/sched_ext/root/ops says
	u64 enable_seq = 0;          // how often a sched_ext scheduler was enabled since boot
	u64 nr_rejected = 0;         // tasks that sched_ext would not take

	bool operator==(const SchedulerState&) const = default;
};
struct SchedulerChange {
	u64 at_ns = 0;
	SchedulerState state;

	bool operator==(const SchedulerChange&) const = default;
};

struct Recording {
	// A recording may be long: of its outliers at least these many are kept, the longest.
	static constexpr size_t kOutliersKept = 50'000;

	RecordingEnvironment environment;
	WaitSnapshot total;  // all windows added up: what happened from start_ns to total.at_ns
	u64 nr_windows = 0;
	std::vector<WaitOutlier> outliers;  // oldest first
	u64 nr_outliers = 0;                // with those not kept
	std::vector<SchedulerChange> changes;
	bool was_cut = false;  // it has no end frame: what is here is whole, but more may have happened
	std::string damage;    // where and why reading stopped early; empty when the file just ends
};

// Called for each window in order: it began at begin_ns and ended at window.at_ns. Rows and kinds to which nothing
// happened are not there. Maxima are exact, or the end of the highest bucket when the longest wait came earlier.
using WindowSink = std::function<void(u64 begin_ns, const WaitSnapshot& window)>;

// Errors name the path. (usage): no recording, another version, nothing whole in it.
Result<Recording> read_recording(const std::filesystem::path& path, const WindowSink& each_window = {});
Result<Recording> parse_recording(std::span<const std::byte> file, const WindowSink& each_window = {});

class RecordingWriter {
 public:
	// Refuses an existing file (usage) unless `overwrite`.
	static Result<RecordingWriter> create(const std::filesystem::path& path,
					      const RecordingEnvironment& environment, bool overwrite = false);
	RecordingWriter(RecordingWriter&&) noexcept;
	RecordingWriter& operator=(RecordingWriter&&) noexcept;
	~RecordingWriter();

	// Totals as the collector gives them; only what changed since the last call is written. An error (the disk is
	// full) leaves the file at its last whole frame, and every later append gives it again.
	Status append_snapshot(const WaitSnapshot& snapshot);
	Status append_outliers(std::span<const WaitOutlier> outliers);
	Status append_scheduler(const SchedulerChange& change);
	// The end frame. Without it a reader says that the recording was cut.
	Status finish(u64 at_ns);
	u64 bytes() const;  // written so far

 private:
	struct State;
	explicit RecordingWriter(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

}  // namespace punctual
