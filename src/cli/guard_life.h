// SPDX-License-Identifier: GPL-2.0-only
// A guard that runs. One thread: what happened goes to `next` of src/guard/guard_state.h, and what that decides is
// done. Three files, by who asks: guard_run.cpp is the loop, and what may come at any time while a scheduler runs or
// none does; guard_load.cpp brings a scheduler up and says why it ended; guard_requests.cpp does what people ask for: a
// changed configuration, and the control socket.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "base/sched_ext_log.h"
#include "base/stop.h"
#include "cli/control_server.h"
#include "cli/guard_alerts.h"
#include "cli/guard_budgets.h"
#include "cli/guard_files.h"
#include "cli/guard_plan.h"
#include "cli/guard_samples.h"
#include "cli/scheduler_run.h"
#include "cli/service_notify.h"
#include "cli/webhook.h"

namespace punctual {

// CLOCK_REALTIME, in which a guard counts.
int64_t guard_now_ns();

// The metrics file as of now; nothing without a path. Error (usage): it cannot be written.
Status try_guard_metrics(const std::string& path, const GuardState& state);

class Guard {
 public:
	// `options` outlive it. `nice`: that of the processes it starts.
	Guard(const GuardOptions& options, GuardPlan plan, SchedulerRun life, StopSignal stop, GuardFiles files,
	      GuardState state, int nice);

	// Opens the control socket. Without it everything else works.
	void listen();
	// SIGHUP means to read the configuration anew where there is one, else it ends us like any process.
	void take_hangup(HangupSignal hangup) { hangup_.emplace(std::move(hangup)); }
	// Until a signal. Error: what a person has to put right, before anything was loaded.
	Result<ExitCode> run();

 private:
	// guard_run.cpp
	GuardActionKind decide(const GuardEvent& event);
	Result<GuardEvent> act(GuardActionKind action);
	Result<GuardEvent> watch();
	GuardEvent idle(int64_t until_ns);
	bool step();
	bool listen_once();
	void judge();
	GuardEvent take_pending();
	void alert_all(const GuardAlert& alert);
	std::string status_line() const;
	void write_metrics() const;

	// guard_load.cpp
	Result<GuardEvent> load();
	Result<GuardEvent> reload();
	GuardEvent ended(const ExitReport& report);
	GuardEvent fault(ExitClass exit_class, const std::string& cause, const std::string& dump);
	std::string foreign_scheduler();
	Status renew();
	GuardEvent after_load();
	void forget_life();
	void say_fallback() const;

	// guard_requests.cpp
	ControlReply read_config_anew();
	void take_over(GuardPlan plan, const ConfigChange& change);
	void refuse_config(const std::string& why);
	ControlReply answer(const ControlRequest& request);
	ControlReply answer_budget(const ControlRequest& request);

	bool is_loaded() const { return life_.scheduler() != nullptr; }

	const GuardOptions& options_;
	GuardPlan plan_;
	std::optional<GuardPlan> before_;  // until the new one has been loaded
	std::string config_error_;
	StopSignal stop_;
	std::optional<HangupSignal> hangup_;
	GuardFiles files_;
	GuardState state_;
	std::optional<ControlServer> control_;
	ServiceNotify notify_;
	SloWatch slo_;
	GuardSamples samples_;
	Hook hook_;
	Webhook webhook_;
	GuardBudgets budgets_;
	FaultFolder faults_;
	SchedExtLog log_;
	AlertFacts facts_;
	std::deque<GuardEvent> pending_;  // of rules and requests; a few
	int64_t sampled_ns_ = 0;
	bool was_loaded_ = false;
	bool is_hotplug_ = false;
	bool is_reloading_ = false;  // systemd waits for the end of it
	bool is_fresh_ = true;       // life_ is one for plan_, and not at its end
	SchedulerRun life_;
};

}  // namespace punctual
