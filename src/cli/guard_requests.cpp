// SPDX-License-Identifier: GPL-2.0-only
#include "cli/budget_act.h"
#include "cli/guard_life.h"
#include "cli/status_document.h"
#include "guard/guard_record.h"

namespace punctual {

void Guard::refuse_config(const std::string& why)
{
	config_error_ = why;
	alert_all(
	    {AlertLevel::warning, fmt::format("the new configuration was not taken, the one before holds: {}", why)});
}

// Checked as a whole before anything is changed: what is wrong leaves all as it is.
ControlReply Guard::read_config_anew()
{
	notify_.reloading();
	Result<GuardPlan> plan = make_guard_plan(options_);
	if (plan && plan->config_path.empty())
		plan = fail(ExitCode::usage, "the guard was started without a configuration: there is nothing to read");
	Status usable = plan ? try_guard_metrics(plan->config.metrics, state_) : std::unexpected(plan.error());
	if (!usable) {
		refuse_config(usable.error().what);
		notify_.ready(status_line());
		return {usable.error().code, config_error_};
	}
	config_error_.clear();
	const ConfigChange change = config_change(plan_.config, plan->config);
	for (const std::string& note : plan->notes)
		fmt::print(stderr, "guard: {}\n", note);
	if (change.loads_anew)
		before_ = plan_;
	take_over(std::move(*plan), change);
	alert_all({AlertLevel::info, "new configuration: " + change.words});
	is_reloading_ = change.loads_anew && is_loaded();
	if (is_reloading_)
		pending_.push_back({.kind = GuardEventKind::reload});
	else
		notify_.ready(status_line());
	return {ExitCode::ok, change.words};
}

void Guard::take_over(GuardPlan plan, const ConfigChange& change)
{
	BudgetTable* table = is_loaded() ? life_.scheduler()->budgets() : nullptr;
	if (Status applied = budgets_.apply(change, plan.config.budgets, table); !applied)
		fmt::print(stderr, "guard: {}\n", applied.error().what);
	if (plan.config.slo != plan_.config.slo) {
		slo_ = SloWatch(plan.rules);
		samples_ = GuardSamples(plan.rules);
	}
	hook_.set_command(plan.hook);
	webhook_.set_url(plan.config.webhook);
	if (control_)
		control_->look_for_group();
	is_fresh_ = is_fresh_ && is_loaded() && !change.loads_anew;
	plan_ = std::move(plan);
	write_metrics();
}

ControlReply Guard::answer(const ControlRequest& request)
{
	switch (request.kind) {
	case ControlKind::status:
		return {.data = fmt::format(
			    "{{\"guard\":{},\"status\":{}}}",
			    guard_status_json(state_, plan_.config, {plan_.config_path, config_error_}, guard_now_ns()),
			    status_document().value_or("null"))};
	case ControlKind::budget_list:
	case ControlKind::budget_set:
	case ControlKind::budget_clear:
		return answer_budget(request);
	case ControlKind::reload:
		return read_config_anew();
	case ControlKind::unload:
		pending_.push_back({.kind = GuardEventKind::unload});
		return {.text = "unloading"};
	case ControlKind::reset:
		pending_.push_back({.kind = GuardEventKind::reset});
		return {.text = "going on"};
	}
	return {ExitCode::failed, "unknown request"};
}

ControlReply Guard::answer_budget(const ControlRequest& request)
{
	BudgetTable* table = is_loaded() ? life_.scheduler()->budgets() : nullptr;
	if (!table)
		return {ExitCode::failed, "no scheduler with latency budgets is loaded by the guard"};
	const Result<std::string> done = request.kind == ControlKind::budget_list ? list_budgets(table)
					 : request.kind == ControlKind::budget_clear
					     ? clear_budget(table, request.cgroup)
					     : set_budget(table, {request.cgroup, request.latency, request.cap});
	if (!done)
		return {done.error().code, done.error().what};
	return {.data = *done};
}

}  // namespace punctual
