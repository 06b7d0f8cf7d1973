// SPDX-License-Identifier: GPL-2.0-only
// What partial mode changed on this machine, kept in a file (JSON) before each change, so that it can be
// undone after the death of the one who made it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "scope/partial_plan.h"

namespace punctual {

struct FileChange {
	std::filesystem::path path;  // a cpuset file of a cgroup
	std::string before;
	std::string during;
	bool operator==(const FileChange&) const = default;
};

struct PartialRecord {
	pid_t pid = 0;  // of the process that made the changes
	uint64_t start_ticks = 0;
	std::vector<std::filesystem::path> slices;
	std::vector<FileChange> files;    // in the order in which they were changed
	KnownThreads threads;             // that were given SCHED_EXT
	std::vector<KnownThread> others;  // had SCHED_EXT before, on their own account: never touched
	bool operator==(const PartialRecord&) const = default;
};

std::string record_text(const PartialRecord& record);

// Any text gives a record or an error, without a subject, saying what is wrong. Only cpuset files are accepted:
// what is read here is written to later, by root.
Result<PartialRecord> parse_record(std::string_view text);

}  // namespace punctual
