// SPDX-License-Identifier: GPL-2.0-only
// How schedulers ended, by the kernel's log: sysfs says that one is gone, and not why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace punctual {

struct SchedExtEnd {
	std::string ops;
	std::string reason;        // in the kernel's words, e.g. "runnable task stall"
	bool is_ejection = false;  // the kernel ended it for a fault; else it was unloaded, or a CPU came or went
};

// The end that a record of /dev/kmsg tells, if any. A record is "<level>,<number>,<us>,<flags>;<text>\n<more>".
std::optional<SchedExtEnd> sched_ext_end_of(std::string_view record);

class SchedExtLog {
 public:
	SchedExtLog();

	// Reads what the log has got since the last look: at the first one, all that it still holds.
	void look();

	// Neither ever changes where the log may not be read (it takes CAP_SYSLOG, or kernel.dmesg_restrict=0).
	bool is_readable() const { return static_cast<bool>(kmsg_); }
	uint64_t nr_ejections() const { return nr_ejections_; }
	const std::optional<SchedExtEnd>& last_end() const { return last_end_; }

 private:
	UniqueFd kmsg_;
	uint64_t nr_ejections_ = 0;
	std::optional<SchedExtEnd> last_end_;
};

}  // namespace punctual
