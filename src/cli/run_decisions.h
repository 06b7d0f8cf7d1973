// SPDX-License-Identifier: GPL-2.0-only
// --record-decisions of punctual run: one file for all the times that the scheduler is loaded in one run.
#pragma once

#include <optional>
#include <string>

#include "object/decision_file.h"
#include "object/scheduler.h"

namespace punctual {

// Prints what happens, and does nothing at all without the option.
class DecisionRun {
 public:
	// Creates the file; `path` is empty without the option.
	static Result<DecisionRun> create(const std::string& path);
	void follow(Scheduler& scheduler);  // ten times a second
	void end(Scheduler& scheduler);     // when it is detached

 private:
	explicit DecisionRun(std::optional<DecisionFile> file) : file_(std::move(file)) {}
	std::optional<DecisionFile> file_;
	bool told_of_bound_ = false;
};

}  // namespace punctual
