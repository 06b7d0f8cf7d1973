// SPDX-License-Identifier: GPL-2.0-only
// A roll-out on disk: enough to take it up again after a kill -9 or a reboot, and to clean up what it left. Written as
// a whole before each thing that is done, so what it says may be true already or not yet, and never has been for long.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bench/rollout_state.h"

namespace punctual {

struct RolloutRecord {
	std::vector<std::string> arguments = {};  // the command line that gives the same plan
	std::string kernel = {};                  // release; figures of another one are not comparable
	pid_t pid = 0;                            // who wrote this
	bool has_cgroups = false;                 // it makes the bench's cgroups; there were none of these names before
	bool was_cpu_controlled = false;          // the cpu controller was on below the root cgroup before
	RolloutState state = {};
};

// The document "punctual.rollout_state", version 1.
std::string record_to_json(const RolloutRecord& record);
// Error (failed) when it is another document, another version or contradicts itself.
Result<RolloutRecord> record_from_json(std::string_view text);

// Members of a run as JSON documents name them.
struct RolloutMember {
	const char* key;
	uint64_t RolloutRun::* value;
};
inline constexpr RolloutMember kRolloutMembers[] = {
    {"p50_ns", &RolloutRun::p50_ns},
    {"p99_ns", &RolloutRun::p99_ns},
    {"p999_ns", &RolloutRun::p999_ns},
    {"max_ns", &RolloutRun::max_ns},
    {"nr", &RolloutRun::nr},
    {"offered", &RolloutRun::offered},
    {"dropped", &RolloutRun::dropped},
    {"background", &RolloutRun::background},
    {"window_ns", &RolloutRun::window_ns},
    {"front_cpu_ns", &RolloutRun::front_cpu_ns},
    {"background_cpu_ns", &RolloutRun::background_cpu_ns},
    {"switches", &RolloutRun::switches},
};

// A plan that begins: sets has_cgroups and was_cpu_controlled. Error (failed) when cgroups of these names exist.
Status claim_cgroups(RolloutRecord* record);

// Removes the bench's cgroups that a killed roll-out left, and sets the cpu controller as it was; nothing when the
// record says that it makes none. Never one with processes in it that outlive the kill of their cgroup. What was
// removed, a line each. Waits up to 5 s for killed processes to leave.
Result<std::vector<std::string>> remove_left_cgroups(const RolloutRecord& record);

}  // namespace punctual
