// SPDX-License-Identifier: GPL-2.0-only
// A recording as commands need it: the sums, and the waits over time.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "measure/time_blocks.h"
#include "runq/recording.h"

namespace punctual {

struct WaitsFile {
	std::string path;
	Recording recording;
	TimeBlocks blocks;  // of all waits, or of those of the cgroup that was asked for
};

struct BlockLength {
	u64 first_ns;  // TimeBlocks doubles it as needed
	size_t blocks_max;
};

// `cgroup`: only its waits, by path below the mount or by its last part ("vnf.slice"); empty: all.
// Errors (usage): as read_recording; no cgroup of that name (says which there are), or several.
// Prints to stderr when the file was cut.
Result<WaitsFile> read_waits_file(const std::string& path, BlockLength length, const std::string& cgroup = {});

// Waits of the machine or of the cgroup, all blocks together.
WaitCounts waits_of(const WaitsFile& file);

// Lost events over all events; 0 when nothing happened.
double lost_share(const WaitsFile& file);
// Above that, figures are not to be judged.
constexpr double kLostShareMax = 0.001;

}  // namespace punctual
