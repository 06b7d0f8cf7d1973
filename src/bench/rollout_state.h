// SPDX-License-Identifier: GPL-2.0-only
// The decisions of a roll-out, without a kernel: a state, what happened, and what is to be done next. The command
// (src/cli/rollout.cpp) acts and reports back; what it does between two events is in the action alone.
//
// Promises, each a test: whatever ends a roll-out, fall_back is done after the last thing that could have loaded a
// scheduler, except after keep; keep comes only when every condition holds in every step; the state can be written
// down at any moment and taken up again from there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/rollout_plan.h"
#include "bench/rollout_rule.h"

namespace punctual {

enum class RolloutArm { eevdf, scheduler };

enum class RolloutPhase {
	recovering,  // making sure that the kernel's own scheduler runs, before anything is measured
	measuring,   // run number `run` of step `step`
	keeping,     // every step held; the scheduler is loaded and stays
	leaving,     // on the way back to EEVDF; `code` and `reason` say why
	ended,
};
std::string_view phase_name(RolloutPhase phase);

struct RolloutState {
	RolloutPhase phase = RolloutPhase::recovering;
	uint64_t step = 0;                                   // as many as the plan has: all of them held
	uint64_t run = 0;                                    // in the step: two a pair
	std::vector<std::vector<RolloutPair>> results = {};  // of each step begun; of the last pair perhaps one side
	ExitCode code = ExitCode::ok;                        // of leaving and ended
	std::string reason = {};

	// Did this end in a way after which going on makes sense? Not after a verdict, nor after an ejection.
	bool can_resume() const;
};

enum class RolloutActionKind {
	measure,    // load what `arm` says, measure, unload it; then measured, or how it failed
	fall_back,  // nothing of ours is loaded or left; then fell_back
	keep,       // load the scheduler on the last step's CPUs and leave it to run; then kept_ended, or how it failed
	end,
};
struct RolloutAction {
	RolloutActionKind kind = RolloutActionKind::end;
	RolloutArm arm = RolloutArm::eevdf;  // of measure
};

enum class RolloutEventKind { measured, fell_back, kept_ended, failed };
struct RolloutEvent {
	RolloutEventKind kind = RolloutEventKind::failed;
	RolloutRun run = {};               // measured
	ExitCode code = ExitCode::failed;  // failed, kept_ended: ejected, interrupted, invalid ...
	std::string reason = {};           // of it
};

// What to do first with a new state, or with one that was read from a file: always fall_back.
RolloutAction begin(const RolloutPlan& plan, RolloutState* state);
// Changes the state to what follows from the event.
RolloutAction next(const RolloutPlan& plan, RolloutState* state, const RolloutEvent& event);

// Under what run number `run` of step `step` is: there and back by turns, each block beginning where chance says.
RolloutArm arm_of_run(const RolloutPlan& plan, uint64_t step, uint64_t run);

}  // namespace punctual
