// SPDX-License-Identifier: GPL-2.0-only
// Asks policy/, as it is compiled here, again what a scheduler in a kernel asked it: the recording has the facts and
// the answers (abi/decision.h). Equal answers tie the kernel's scheduler, the simulator and policy/ together.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "abi/decision.h"
#include "base/result.h"

namespace punctual::sim {

struct ReplayReport {
	std::string kernel;                            // release of the kernel that decided
	std::array<u64, DECISION_KINDS> nr_records{};  // by kind
	u64 nr_lost = 0;                               // by the ring buffer
	u64 nr_left_out = 0;                           // after the file had reached its bound
	u64 nr_differing = 0;                          // answered otherwise here
	bool is_cut = false;                           // it ends before the scheduler did
	std::string first_difference;                  // with all facts, in words; empty: none

	u64 nr_decisions() const;
	bool is_complete() const { return nr_lost == 0 && nr_left_out == 0 && !is_cut; }
};

// The name of the function of policy/ that decides so; REQUIRES 0 < kind < DECISION_KINDS.
std::string_view decision_name(u32 kind);

// Reads a recording to its last whole record. Errors (usage) say what is wrong with it, and where: not a recording,
// made by another version, or a record that no scheduler of ours can have written.
Result<ReplayReport> replay(std::span<const std::byte> recording);

}  // namespace punctual::sim
