// SPDX-License-Identifier: GPL-2.0-only
// --only of punctual run: the slices as the operator names them, and the life of the scope around the scheduler.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "object/scheduler.h"
#include "scope/partial.h"

namespace punctual {

// A slice of partial mode: CGROUP=DURATION, or CGROUP alone for a scheduler without budgets. Adds the budget, if
// there is one, to `budgets`; returns the cgroup's directory.
Result<std::filesystem::path> parse_only_slice(std::string_view text, std::vector<Budget>* budgets);

// Repairs what a killed `run --only` left, and says so.
Status repair_and_say();

// Prints what happens, and does nothing at all without --only.
class OnlyRun {
 public:
	// Checks what can be checked before a scheduler is loaded. `slices` is empty without --only.
	static Result<OnlyRun> create(const CpuList& cpus, std::vector<std::filesystem::path> slices);
	Status start();   // after the scheduler is enabled
	Status follow();  // ten times a second
	void end();       // after the scheduler is gone

 private:
	explicit OnlyRun(std::optional<PartialScope> scope) : scope_(std::move(scope)) {}
	Status say(Status status);
	std::optional<PartialScope> scope_;
};

}  // namespace punctual
