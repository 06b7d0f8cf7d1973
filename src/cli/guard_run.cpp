// SPDX-License-Identifier: GPL-2.0-only
#include "cli/guard_run.h"

#include <poll.h>
#include <unistd.h>

#include <deque>
#include <optional>

#include "base/clock.h"
#include "base/cpu_list.h"
#include "base/file.h"
#include "base/sched_ext.h"
#include "base/sched_ext_log.h"
#include "base/stop.h"
#include "cli/budget_act.h"
#include "cli/control_client.h"
#include "cli/control_server.h"
#include "cli/guard_alerts.h"
#include "cli/guard_budgets.h"
#include "cli/guard_files.h"
#include "cli/guard_samples.h"
#include "cli/scheduler_run.h"
#include "cli/service_notify.h"
#include "cli/status_document.h"
#include "cli/webhook.h"
#include "guard/guard_record.h"

namespace punctual {
namespace {

constexpr int kIdleMs = 100;  // between two looks while nothing of ours is loaded
constexpr int kNrLooks = 6;   // in 90 ms: how exactly the time to EEVDF is known
constexpr size_t kDumpMax = 1UL << 20;
constexpr int64_t kSampleNs = 1'000'000'000;
constexpr int kGoneTries = 20;  // of 100 ms: a killed guard's scheduler goes when the kernel has closed its files
constexpr int kGonePauseMs = 100;

int64_t realtime_ns()
{
	return static_cast<int64_t>(clock_ns(CLOCK_REALTIME));
}

double milliseconds(std::chrono::nanoseconds time)
{
	return std::chrono::duration<double, std::milli>(time).count();
}

Status try_metrics(const std::string& path, const GuardState& state)
{
	if (path.empty())
		return {};
	if (Status written = replace_file(path, guard_metrics(state, read_sched_ext().ops)); !written)
		return fail(ExitCode::usage, "--metrics: {}", written.error().what);
	return {};
}

class Guard {
 public:
	Guard(const GuardOptions& options, GuardPlan plan, SchedulerRun life, StopSignal stop, GuardFiles files,
	      GuardState state, int nice)
	    : options_(options),
	      plan_(std::move(plan)),
	      stop_(std::move(stop)),
	      files_(std::move(files)),
	      state_(std::move(state)),
	      slo_(plan_.rules),
	      samples_(plan_.rules),
	      hook_(plan_.hook, nice),
	      webhook_(plan_.config.webhook, nice),
	      budgets_(plan_.config.budgets, plan_.settings.scheduler.budgets),
	      faults_(files_.faults()),
	      facts_{.scheduler = plan_.config.scheduler},
	      life_(std::move(life))
	{
		log_.look();  // what ended before is not ours
	}

	// Without it everything else works.
	void listen()
	{
		Result<ControlServer> server = ControlServer::create(control_path(options_.state_dir));
		if (server)
			control_.emplace(std::move(*server));
		else
			fmt::print(stderr, "guard: no control socket: {}\n", server.error().what);
	}

	// SIGHUP means to read the configuration anew where there is one, else it ends us like any process.
	void take_hangup(HangupSignal hangup) { hangup_.emplace(std::move(hangup)); }

	Result<ExitCode> run()
	{
		GuardActionKind action = decide({.kind = GuardEventKind::started,
						 .words = read_line("/proc/sys/kernel/random/boot_id").value_or("")});
		while (action != GuardActionKind::end) {  // until a signal: the life of the guard
			const Result<GuardEvent> event = act(action);
			if (!event) {
				(void)decide({.kind = GuardEventKind::stop});  // so that the next one finds no kill
				return std::unexpected(event.error());
			}
			action = decide(*event);
		}
		notify_.stopping();
		if (life_.scheduler()) {
			(void)life_.detach(false);
			say_fallback();
			life_.drop();
			write_metrics();
		}
		hook_.finish();
		webhook_.finish();
		return ExitCode::ok;
	}

 private:
	GuardActionKind decide(const GuardEvent& event)
	{
		const GuardState before = state_;
		const GuardStep step = next(GuardLimits(), &state_, event, realtime_ns());
		const bool loads = step.action == GuardActionKind::load || step.action == GuardActionKind::reload;
		// On record before it is done; who is killed meanwhile has done it or not. A CPU that came or went
		// waits for no disk.
		if (state_ != before)
			files_.save(state_, loads && !is_hotplug_);
		for (const GuardAlert& alert : step.alerts) {
			alert_all(alert);
			if (alert.fell_back)
				hook_.start(facts_);
		}
		write_metrics();
		// Ready is who has loaded, or knows why not.
		if (!loads && step.action != GuardActionKind::end)
			is_reloading_ ? notify_.ready(status_line()) : notify_.status(status_line());
		is_reloading_ = is_reloading_ && loads;
		return step.action;
	}

	bool is_loaded() const { return life_.scheduler() != nullptr; }

	void alert_all(const GuardAlert& alert)
	{
		tell(alert, facts_);
		webhook_.post(alert_json(alert, facts_, realtime_ns()));
	}

	std::string status_line() const
	{
		const std::string line = is_loaded() ? fmt::format("{} is loaded", state_.ops)
						     : fmt::format("EEVDF; {}{}{}", guard_phase_name(state_.phase),
								   state_.reason.empty() ? "" : ": ", state_.reason);
		return config_error_.empty() ? line : line + "; the new configuration was not taken: " + config_error_;
	}

	// Error: what a person has to put right, before anything was loaded.
	Result<GuardEvent> act(GuardActionKind action)
	{
		switch (action) {
		case GuardActionKind::load:
			return load();
		case GuardActionKind::reload:
			return reload();
		case GuardActionKind::unload:
			return ended(life_.detach(false));
		case GuardActionKind::wait:
			return idle(state_.wait_until_ns);
		case GuardActionKind::stay:
			return is_loaded() ? watch() : idle(INT64_MAX);
		case GuardActionKind::end:
			break;
		}
		return GuardEvent{.kind = GuardEventKind::stop};
	}

	// Another scheduler, not one that is on its way out.
	std::string foreign_scheduler()
	{
		std::string ops = read_sched_ext().ops;
		for (int tries = 0; !ops.empty() && tries < kGoneTries && !stop_.raised(); tries++) {
			poll(nullptr, 0, kGonePauseMs);
			ops = read_sched_ext().ops;
		}
		return ops;
	}

	// A life for the plan, where the last one has ended or was for another.
	Status renew()
	{
		if (is_fresh_)
			return {};
		RunSettings settings = plan_.settings;
		settings.scheduler.budgets = plan_.has_budgets ? budgets_.standing() : std::vector<Budget>();
		TRY(life_.renew(std::move(settings)));
		is_fresh_ = true;
		return {};
	}

	Result<GuardEvent> load()
	{
		notify_.alive();
		facts_ = {.scheduler = plan_.config.scheduler};
		if (const std::string ops = foreign_scheduler(); !ops.empty())
			return GuardEvent{.kind = GuardEventKind::foreign, .words = ops};
		Status loaded = renew();
		if (loaded)
			loaded = life_.load(stop_, is_hotplug_);
		is_hotplug_ = false;
		if (loaded)
			return after_load();
		if (stop_.raised())
			return GuardEvent{.kind = GuardEventKind::stop};
		// To try again is no cure for these.
		if (!was_loaded_ &&
		    (loaded.error().code == ExitCode::usage || loaded.error().code == ExitCode::lacking))
			return std::unexpected(loaded.error());
		if (const std::string ops = foreign_scheduler(); !ops.empty())
			return GuardEvent{.kind = GuardEventKind::foreign, .words = ops};
		return fault(ExitClass::refused, loaded.error().what, "");
	}

	GuardEvent after_load()
	{
		was_loaded_ = true;
		before_.reset();
		facts_.scheduler = life_.scheduler()->name();
		samples_.restart();
		slo_.restart();
		budgets_.loaded();
		sampled_ns_ = static_cast<int64_t>(monotonic_ns());
		return {.kind = GuardEventKind::loaded, .words = read_sched_ext().ops};
	}

	// One clean change of the scheduler. What the kernel does not take of the new configuration is not tried twice.
	Result<GuardEvent> reload()
	{
		const ExitReport report = life_.detach(false);
		if (report.is_fault())
			return ended(report);
		say_fallback();
		forget_life();
		Result<GuardEvent> event = load();
		const bool is_refused = !event || event->kind == GuardEventKind::exited;
		if (is_refused && before_) {
			config_error_ = event ? event->words : event.error().what;
			const ConfigChange back = config_change(plan_.config, before_->config);
			take_over(std::move(*before_), back);
			before_.reset();
			alert_all({AlertLevel::warning,
				   fmt::format("the new configuration was not taken, the one before holds: {}",
					       config_error_)});
		}
		return event;
	}

	void forget_life()
	{
		if (life_.scheduler()->budgets())
			budgets_.unloaded(life_.options().budgets);
		life_.drop();
		is_fresh_ = false;
	}

	Result<GuardEvent> watch()
	{
		if (pending_.empty()) {
			const Result<Ended> ended_by =
			    life_.watch(&stop_, {.nr_looks = kNrLooks, .watcher = [this] { return step(); }});
			if (!ended_by) {  // --only cannot go on
				(void)life_.detach(false);
				forget_life();
				return fault(ExitClass::kernel, ended_by.error().what, "");
			}
			if (*ended_by == Ended::by_signal)
				return GuardEvent{.kind = GuardEventKind::stop};
			if (*ended_by == Ended::by_kernel)
				return ended(life_.detach(true));
		}
		return take_pending();
	}

	GuardEvent take_pending()
	{
		GuardEvent event = std::move(pending_.front());
		pending_.pop_front();
		return event;
	}

	// What has to be seen to at all times. Is there something to decide?
	bool listen_once()
	{
		notify_.alive();
		hook_.step();
		webhook_.step();
		if (control_)
			control_->step([this](const ControlRequest& request) { return answer(request); });
		if (hangup_ && hangup_->take())
			(void)read_config_anew();
		return !pending_.empty();
	}

	// A step while the scheduler runs.
	bool step()
	{
		budgets_.step(life_.scheduler()->budgets());
		const auto now_ns = static_cast<int64_t>(monotonic_ns());
		if (!slo_.rules().empty() && now_ns - sampled_ns_ >= kSampleNs) {
			sampled_ns_ = now_ns;
			judge();
		}
		return listen_once();
	}

	void judge()
	{
		const CpuList& mask = life_.options().cpus;
		const size_t nr_cpus = mask.empty() ? CpuList::online().value_or(CpuList()).size() : mask.size();
		const std::optional<SloSample> sample = samples_.take(nr_cpus);
		if (!sample)
			return;
		for (const SloChange& change : slo_.step(*sample)) {
			const GuardEventKind kind = !change.is_broken   ? GuardEventKind::mended
						    : change.falls_back ? GuardEventKind::broken
									: GuardEventKind::warned;
			pending_.push_back({.kind = kind, .words = change.words});
			if (kind == GuardEventKind::broken) {
				facts_.exit_class = exit_class_name(ExitClass::slo);
				facts_.cause = change.words;
			}
		}
	}

	// Nothing of ours is loaded.
	GuardEvent idle(int64_t until_ns)
	{
		while (realtime_ns() < until_ns) {
			if (listen_once())
				return take_pending();
			pollfd stopped{stop_.fd(), POLLIN, 0};
			poll(&stopped, 1, kIdleMs);
			if (stop_.raised())
				return {.kind = GuardEventKind::stop};
			// A clock that was set back: the decision sees to it.
			if (until_ns != INT64_MAX && until_ns - realtime_ns() > GuardLimits().back_off_max_ns * 2)
				break;
		}
		return {.kind = GuardEventKind::woke};
	}

	// The scheduler is gone: why, and does the kernel's own one run?
	GuardEvent ended(const ExitReport& report)
	{
		say_fallback();
		SchedulerExit exit{report.kind, report.code, report.reason, report.message, ""};
		log_.look();
		if (report.kind == 0)  // an object without a record
			exit.reason = log_.last_end() ? log_.last_end()->reason : "";
		if (!report.dump_file.empty())
			if (auto dump = read_file(report.dump_file, kDumpMax); dump) {
				exit.dump = std::move(*dump);
				::unlink(report.dump_file.c_str());  // its place is with the cause
			}
		const ExitClass exit_class = classify_exit(exit);
		is_hotplug_ = exit_class == ExitClass::hotplug;
		forget_life();
		is_fresh_ = is_hotplug_;  // its scope goes on
		// A rule that was looked at before is of no scheduler now.
		std::erase_if(pending_, [](const GuardEvent& event) { return event.kind == GuardEventKind::broken; });
		if (state_.phase == GuardPhase::unloading && exit_class == ExitClass::asked_for)
			return fault(exit_class, state_.reason, exit.dump);
		return fault(exit_class, exit_cause(exit), exit.dump);
	}

	GuardEvent fault(ExitClass exit_class, const std::string& cause, const std::string& dump)
	{
		life_.drop();
		const bool by_rule = state_.phase == GuardPhase::unloading && exit_class == ExitClass::asked_for;
		const ExitClass told = by_rule ? ExitClass::slo : exit_class;
		facts_.exit_class = exit_class_name(told);
		facts_.cause = cause;
		facts_.fault_file = is_fault(told) ? faults_.keep(realtime_ns(), facts_, dump) : "";
		return {.kind = GuardEventKind::exited,
			.exit_class = exit_class,
			.words = fmt::format("{}: {}", exit_class_name(told), cause)};
	}

	// Checked as a whole before anything is changed: what is wrong leaves all as it is.
	ControlReply read_config_anew()
	{
		notify_.reloading();
		Result<GuardPlan> plan = make_guard_plan(options_);
		if (plan && plan->config_path.empty())
			plan = fail(ExitCode::usage,
				    "the guard was started without a configuration: there is nothing to read");
		Status usable = plan ? try_metrics(plan->config.metrics, state_) : std::unexpected(plan.error());
		if (!usable) {
			config_error_ = usable.error().what;
			alert_all({AlertLevel::warning,
				   fmt::format("the new configuration was not taken, the one before holds: {}",
					       config_error_)});
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

	void take_over(GuardPlan plan, const ConfigChange& change)
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

	ControlReply answer(const ControlRequest& request)
	{
		switch (request.kind) {
		case ControlKind::status:
			return {.data =
				    fmt::format("{{\"guard\":{},\"status\":{}}}",
						guard_status_json(state_, plan_.config,
								  {plan_.config_path, config_error_}, realtime_ns()),
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

	ControlReply answer_budget(const ControlRequest& request)
	{
		BudgetTable* table = is_loaded() ? life_.scheduler()->budgets() : nullptr;
		if (!table)
			return {ExitCode::failed, "no scheduler with latency budgets is loaded by the guard"};
		const Result<std::string> done =
		    request.kind == ControlKind::budget_list ? list_budgets(table)
		    : request.kind == ControlKind::budget_clear
			? clear_budget(table, request.cgroup)
			: set_budget(table, {request.cgroup, request.latency, request.cap});
		if (!done)
			return {done.error().code, done.error().what};
		return {.data = *done};
	}

	void say_fallback() const
	{
		const SchedExtState now = read_sched_ext();
		if (now.ops.empty())
			fmt::print(stderr, "guard: EEVDF runs; it took over within {:.0f} ms\n",
				   milliseconds(life_.fall_back_time()));
		else
			fmt::print(stderr, "guard: {} runs now, not EEVDF\n", now.ops);
	}

	void write_metrics() const
	{
		if (Status written = try_metrics(plan_.config.metrics, state_); !written)
			fmt::print(stderr, "guard: {}\n", written.error().what);
	}

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

}  // namespace

Result<ExitCode> run_guard(const GuardOptions& options, GuardPlan plan)
{
	for (const std::string& note : plan.notes)
		fmt::print(stderr, "guard: {}\n", note);
	const bool has_config = !plan.config_path.empty();
	StopSignal stop = TRY(has_config ? StopSignal::create_without_hangup() : StopSignal::create());
	std::optional<HangupSignal> hangup;
	if (has_config)
		hangup.emplace(TRY(HangupSignal::create()));
	GuardFiles files = TRY(GuardFiles::create(options.state_dir, stop.fd()));
	GuardState state = TRY(files.read());
	TRY(try_metrics(plan.config.metrics, state));  // told now; later the guard goes on without it
	SchedulerRun life = TRY(SchedulerRun::create(plan.settings));
	const int nice = raise_own_priority();
	Guard guard(options, std::move(plan), std::move(life), std::move(stop), std::move(files), std::move(state),
		    nice);
	guard.listen();
	if (hangup)
		guard.take_hangup(std::move(*hangup));
	return guard.run();
}

}  // namespace punctual
