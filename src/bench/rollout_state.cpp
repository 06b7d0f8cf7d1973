// SPDX-License-Identifier: GPL-2.0-only
#include "bench/rollout_state.h"

#include <array>
#include <utility>

#include "bench/starts.h"

namespace punctual {
namespace {

constexpr RolloutAction kFallBack{RolloutActionKind::fall_back};

RolloutAction leave(RolloutState* state, ExitCode code, std::string reason)
{
	state->phase = RolloutPhase::leaving;
	state->code = code;
	state->reason = std::move(reason);
	return kFallBack;
}

// The next run of the step, or, after the last step, what follows from all of them having held.
RolloutAction go_on(const RolloutPlan& plan, RolloutState* state)
{
	if (state->step < plan.steps.size()) {
		state->phase = RolloutPhase::measuring;
		return {RolloutActionKind::measure, arm_of_run(plan, state->step, state->run)};
	}
	if (!plan.stays)
		return leave(state, ExitCode::ok, "the rule held in every step");
	state->phase = RolloutPhase::keeping;
	state->reason = "the rule held in every step";
	return {RolloutActionKind::keep, RolloutArm::scheduler};
}

RolloutAction judge_step(const RolloutPlan& plan, RolloutState* state)
{
	const std::vector<ConditionJudgement> judgements = judge_rule(plan.rule, state->results[state->step]);
	const RuleVerdict verdict = verdict_of(judgements);
	if (verdict == RuleVerdict::holds) {
		state->step++;
		state->run = 0;
		return go_on(plan, state);
	}
	const bool fails = verdict == RuleVerdict::fails;
	std::string reason = fmt::format("step {} (cpus {})", state->step + 1, plan.steps[state->step].text());
	for (const ConditionJudgement& judgement : judgements)
		if (judgement.verdict == verdict)
			reason += fmt::format("; {} {}: {}", judgement.text, fails ? "fails" : "is unclear",
					      judgement.reason);
	return leave(state, fails ? ExitCode::regression : ExitCode::inconclusive, std::move(reason));
}

RolloutAction note_run(const RolloutPlan& plan, RolloutState* state, const RolloutRun& run)
{
	state->results.resize(state->step + 1);
	std::vector<RolloutPair>& pairs = state->results[state->step];
	pairs.resize(state->run / 2 + 1);
	const bool is_eevdf = arm_of_run(plan, state->step, state->run) == RolloutArm::eevdf;
	(is_eevdf ? pairs.back().eevdf : pairs.back().scheduler) = run;
	state->run++;
	return state->run < 2 * plan.nr_pairs ? go_on(plan, state) : judge_step(plan, state);
}

}  // namespace

std::string_view phase_name(RolloutPhase phase)
{
	constexpr std::array<std::string_view, 5> kNames = {"recovering", "measuring", "keeping", "leaving", "ended"};
	return kNames[std::to_underlying(phase)];
}

bool RolloutState::can_resume() const
{
	const bool is_over = phase == RolloutPhase::leaving || phase == RolloutPhase::ended;
	const bool is_final = code == ExitCode::ok || code == ExitCode::regression || code == ExitCode::inconclusive ||
			      code == ExitCode::ejected;
	return !is_over || !is_final;
}

RolloutArm arm_of_run(const RolloutPlan& plan, uint64_t step, uint64_t run)
{
	const std::vector<size_t> order = arm_order(2, run / 2, plan.nr_pairs, plan.seed + step);
	return order[run % 2] == 0 ? RolloutArm::eevdf : RolloutArm::scheduler;
}

RolloutAction begin(const RolloutPlan& plan, RolloutState* state)
{
	state->phase = RolloutPhase::recovering;
	state->code = ExitCode::ok;
	state->reason.clear();
	// A pair is two neighbours in time: half of one that was broken off is measured again.
	state->run -= state->run % 2;
	if (state->step < plan.steps.size()) {
		state->results.resize(state->step + 1);
		state->results[state->step].resize(state->run / 2);
	}
	return kFallBack;
}

RolloutAction next(const RolloutPlan& plan, RolloutState* state, const RolloutEvent& event)
{
	if (state->phase == RolloutPhase::ended)
		return {RolloutActionKind::end};
	if (state->phase == RolloutPhase::leaving) {
		// Once: what could not be undone is said, and the end of our process takes the scheduler with it.
		state->phase = RolloutPhase::ended;
		if (event.kind == RolloutEventKind::failed && event.code != ExitCode::interrupted) {
			state->code = event.code;
			state->reason += fmt::format("; {}", event.reason);
		}
		return {RolloutActionKind::end};
	}
	if (event.kind == RolloutEventKind::failed)
		return leave(state, event.code, event.reason);
	if (event.kind == RolloutEventKind::fell_back && state->phase == RolloutPhase::recovering)
		return go_on(plan, state);
	if (event.kind == RolloutEventKind::measured && state->phase == RolloutPhase::measuring)
		return note_run(plan, state, event.run);
	if (event.kind == RolloutEventKind::kept_ended && state->phase == RolloutPhase::keeping)
		return leave(state, event.code, event.reason);
	return leave(state, ExitCode::failed,
		     fmt::format("something happened that does not belong to phase '{}'", phase_name(state->phase)));
}

}  // namespace punctual
