// SPDX-License-Identifier: GPL-2.0-only
#include "scope/partial_undo.h"

#include <sched.h>

#include <algorithm>
#include <ranges>

#include "base/file.h"
#include "scope/partial_cgroups.h"
#include "scope/thread_policy.h"

namespace punctual {
namespace {

// A thread that is under SCHED_EXT while we look may fork once more; after some passes none is left to.
constexpr int kPassesMax = 20;

std::vector<pid_t> ours(const PartialRecord& record, Strays strays)
{
	std::vector<pid_t> found;
	if (strays == Strays::of_machine) {
		found = ext_threads_of_machine();
	} else {
		for (const auto& [tid, thread] : record.threads)
			if (policy_of(tid) == kSchedExt && start_ticks_of(tid) == thread.start_ticks)
				found.push_back(tid);
		for (const std::filesystem::path& slice : record.slices) {
			auto below = threads_below(slice, record.slices);
			for (const SeenThread& thread : below ? below->in_slices : std::vector<SeenThread>())
				if (thread.policy == kSchedExt)
					found.push_back(thread.tid);
		}
	}
	std::erase_if(found, [&](pid_t tid) { return is_other(record, tid); });
	return found;
}

Status return_all(const PartialRecord& record, Strays strays)
{
	Status status;
	for (int pass = 0; pass < kPassesMax; pass++) {
		const std::vector<pid_t> left = ours(record, strays);
		if (left.empty())
			return {};
		for (pid_t tid : left)
			if (Status returned = return_thread(record, tid); !returned)
				status = returned;
	}
	return status ? fail(ExitCode::failed, "threads under SCHED_EXT fork faster than they can be returned")
		      : status;
}

// After CPUs of a partition went offline the kernel (6.18 to 7.3 at least) goes on refusing to take them from the
// member that it was made: EBUSY, even when they are back. Being a partition once more cures that.
Status write_after_cycle(const FileChange& file)
{
	const std::filesystem::path partition = file.path.parent_path() / "cpuset.cpus.partition";
	TRY(write_kernel_file(partition, "root"));
	TRY(write_kernel_file(partition, "member"));
	if (auto written = write_kernel_file(file.path, file.before + "\n"); !written)
		return fail(ExitCode::failed, "{} (is a CPU of {} offline?)", written.error().what, file.during);
	return {};
}

Status restore_file(const FileChange& file, std::vector<std::string>* notes)
{
	const Result<std::string> now = read_line(file.path);
	std::error_code error;
	if (!now && !std::filesystem::exists(file.path, error))
		return {};  // the cgroup is gone, and its partition with it
	const std::string value = TRY(now);
	if (value == file.before)
		return {};
	// A partition that the kernel gave up reads "root invalid (...)": still ours.
	const bool is_ours = value == file.during || value.starts_with(file.during + " invalid");
	if (!is_ours) {
		notes->push_back(fmt::format("{} reads '{}' now, which --only did not write: left alone",
					     file.path.native(), value));
		return {};
	}
	const bool is_written = write_kernel_file(file.path, file.before + "\n").has_value();
	return is_written ? Status() : write_after_cycle(file);
}

}  // namespace

bool is_other(const PartialRecord& record, pid_t tid)
{
	auto found = std::ranges::find(record.others, tid, &KnownThread::tid);
	return found != record.others.end() && start_ticks_of(tid) == found->start_ticks;
}

Status return_thread(const PartialRecord& record, pid_t tid)
{
	if (policy_of(tid) != kSchedExt)
		return {};
	auto known = record.threads.find(tid);
	const bool is_same = known != record.threads.end() && start_ticks_of(tid) == known->second.start_ticks;
	return set_policy(tid, is_same ? known->second.policy : SCHED_OTHER);
}

Status undo_record(const PartialRecord& record, Strays strays, std::vector<std::string>* notes)
{
	Status status = return_all(record, strays);
	for (const FileChange& file : std::views::reverse(record.files))
		if (Status restored = restore_file(file, notes); !restored && status)
			status = restored;
	return status;
}

}  // namespace punctual
