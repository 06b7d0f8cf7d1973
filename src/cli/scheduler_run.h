// SPDX-License-Identifier: GPL-2.0-only
// A scheduler as `run` and `guard` keep it: loaded as the options say, as often as asked, with all that goes with it
// while it runs. Budgets follow attributes and stand from one load to the next, --only keeps its scope, recorded
// decisions go into their file. Prints what happens. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/process.h"
#include "base/stop.h"
#include "cli/budget_watch.h"
#include "cli/feasible_watch.h"
#include "cli/run_decisions.h"
#include "cli/run_only.h"
#include "cli/run_options.h"
#include "object/scheduler.h"

namespace punctual {

// A line each on stderr.
void print_lines(const std::vector<std::string>& lines);

// On a machine where much runs, a scheduler that a hotplug ended is to be back soon, and budgets are to follow their
// attributes. Returns the nice value that we had, for children. Without the right to it all is as before.
int raise_own_priority();

enum class Ended { by_signal, by_command, by_kernel, by_watcher };

struct WatchOptions {
	const Child* command = nullptr;      // its end ends the watch
	int nr_looks = 1;                    // at the scheduler, in the 90 ms between two steps
	std::function<bool()> watcher = {};  // a step of the caller's; true: by_watcher
};

class SchedulerRun {
 public:
	// Checks what can be checked before a scheduler is loaded, and repairs what a killed run left.
	static Result<SchedulerRun> create(RunSettings settings);

	// Other settings for the next load, or the same after a scope that has ended. What was created for the life of
	// the process, as the file of decisions, goes on. REQUIRES: nothing is loaded.
	Status renew(RunSettings settings);

	// What is loaded for the first time is taken or refused. A reload is tried again: beside the hotplug that asked
	// for it the kernel may refuse what it takes a second later, and nobody may be there to start us anew.
	Status load(const StopSignal& stop, bool is_reload);

	// Waits for the first of: a signal, the end of the command, an ejection, the watcher. Error: --only cannot go
	// on. REQUIRES: loaded.
	Result<Ended> watch(StopSignal* stop, const WatchOptions& options);

	// Ends it, or takes leave of one that has ended. `may_reload`: by its report, another load follows at once.
	ExitReport detach(bool may_reload);

	// Forgets the one that was detached, and closes what it held open.
	void drop() { scheduler_.reset(); }

	// No load follows.
	void end_scope() { only_->end(); }

	// From the last look that found it enabled until the kernel had given it up, so never too short.
	std::chrono::nanoseconds fall_back_time() const { return given_up_at_ - enabled_at_; }

	Scheduler* scheduler() { return scheduler_ ? &*scheduler_ : nullptr; }
	const Scheduler* scheduler() const { return scheduler_ ? &*scheduler_ : nullptr; }
	const SchedulerOptions& options() const { return settings_.scheduler; }

 private:
	SchedulerRun(RunSettings settings, OnlyRun only, DecisionRun decisions);
	bool is_enabled();
	void print_enabled() const;

	RunSettings settings_;
	std::optional<OnlyRun> only_;  // always there; optional, because a scope is not assigned
	DecisionRun decisions_;
	std::optional<BudgetWatch> budgets_;
	FeasibleWatch feasible_;
	std::chrono::steady_clock::time_point enabled_at_, given_up_at_;
	std::optional<Scheduler> scheduler_;  // the first to go
};

}  // namespace punctual
