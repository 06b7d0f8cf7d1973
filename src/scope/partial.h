// SPDX-License-Identifier: GPL-2.0-only
// Partial mode: only the threads of the named slices have policy SCHED_EXT and are served by the loaded
// scheduler; everything else stays on EEVDF. Owns what that changes on the machine (policies, a cpuset
// partition) and a record of it in /run/punctual/only.json; the destructor undoes it. One thread.
//
// Needs a cpuset partition with exactly the given CPUs around the slices, and makes one where the
// slice's parent allows it: see partial_plan.h for why.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/cpu_list.h"
#include "base/result.h"

namespace punctual {

struct PartialOptions {
	CpuList cpus;                               // the partition's, all of them
	std::vector<std::filesystem::path> slices;  // directories of cgroups
};

class PartialScope {
 public:
	// Finds out whether it can be done; changes nothing. Errors (usage, lacking) name the remedy;
	// (failed) when another process does the same.
	static Result<PartialScope> create(const PartialOptions& options);
	PartialScope(PartialScope&&) noexcept;
	PartialScope& operator=(PartialScope&&) = delete;
	~PartialScope();

	// Makes the partition and gives the slices' threads their policy. Calling it again does nothing.
	Status start();

	// Ten times a second: threads that came get the policy, threads that left get theirs back. Error
	// when the partition is lost: the scheduler must go then, else its threads starve.
	Status follow();

	// Everything as before. After an error the record stays, for repair_partial_scope() to try again.
	Status undo();

	// What an operator should know since the last call, a line each.
	std::vector<std::string> take_notes();

 private:
	struct State;
	explicit PartialScope(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

// Undoes what a killed process left behind; what was done, a line each: empty when there was nothing, or
// when its maker is alive. Error (failed) naming the record when that is damaged; it is left as it is.
Result<std::vector<std::string>> repair_partial_scope();

}  // namespace punctual
