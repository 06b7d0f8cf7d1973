// SPDX-License-Identifier: GPL-2.0-only
#include "cli/guard_run.h"

#include <poll.h>

#include "base/clock.h"
#include "base/cpu_list.h"
#include "base/file.h"
#include "base/sched_ext.h"
#include "cli/control_client.h"
#include "cli/guard_life.h"
#include "guard/guard_record.h"

namespace punctual {
namespace {

constexpr int kIdleMs = 100;  // between two looks while nothing of ours is loaded
constexpr int kNrLooks = 6;   // in 90 ms: how exactly the time to EEVDF is known
constexpr int64_t kSampleNs = 1'000'000'000;

}  // namespace

int64_t guard_now_ns()
{
	return static_cast<int64_t>(clock_ns(CLOCK_REALTIME));
}

Status try_guard_metrics(const std::string& path, const GuardState& state)
{
	if (path.empty())
		return {};
	if (Status written = replace_file(path, guard_metrics(state, read_sched_ext().ops)); !written)
		return fail(ExitCode::usage, "--metrics: {}", written.error().what);
	return {};
}

Guard::Guard(const GuardOptions& options, GuardPlan plan, SchedulerRun life, StopSignal stop, GuardFiles files,
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

void Guard::listen()
{
	Result<ControlServer> server = ControlServer::create(control_path(options_.state_dir));
	if (server)
		control_.emplace(std::move(*server));
	else
		fmt::print(stderr, "guard: no control socket: {}\n", server.error().what);
}

Result<ExitCode> Guard::run()
{
	GuardActionKind action = decide(
	    {.kind = GuardEventKind::started, .words = read_line("/proc/sys/kernel/random/boot_id").value_or("")});
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

GuardActionKind Guard::decide(const GuardEvent& event)
{
	const GuardState before = state_;
	const GuardStep step = next(GuardLimits(), &state_, event, guard_now_ns());
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

void Guard::alert_all(const GuardAlert& alert)
{
	tell(alert, facts_);
	webhook_.post(alert_json(alert, facts_, guard_now_ns()));
}

std::string Guard::status_line() const
{
	const std::string line = is_loaded() ? fmt::format("{} is loaded", state_.ops)
					     : fmt::format("EEVDF; {}{}{}", guard_phase_name(state_.phase),
							   state_.reason.empty() ? "" : ": ", state_.reason);
	return config_error_.empty() ? line : line + "; the new configuration was not taken: " + config_error_;
}

Result<GuardEvent> Guard::act(GuardActionKind action)
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

Result<GuardEvent> Guard::watch()
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

// Nothing of ours is loaded.
GuardEvent Guard::idle(int64_t until_ns)
{
	while (guard_now_ns() < until_ns) {
		if (listen_once())
			return take_pending();
		pollfd stopped{stop_.fd(), POLLIN, 0};
		poll(&stopped, 1, kIdleMs);
		if (stop_.raised())
			return {.kind = GuardEventKind::stop};
		// A clock that was set back: the decision sees to it.
		if (until_ns != INT64_MAX && until_ns - guard_now_ns() > GuardLimits().back_off_max_ns * 2)
			break;
	}
	return {.kind = GuardEventKind::woke};
}

// A step while the scheduler runs.
bool Guard::step()
{
	budgets_.step(life_.scheduler()->budgets());
	const auto now_ns = static_cast<int64_t>(monotonic_ns());
	if (!slo_.rules().empty() && now_ns - sampled_ns_ >= kSampleNs) {
		sampled_ns_ = now_ns;
		judge();
	}
	return listen_once();
}

// What has to be seen to at all times. Is there something to decide?
bool Guard::listen_once()
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

void Guard::judge()
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

GuardEvent Guard::take_pending()
{
	GuardEvent event = std::move(pending_.front());
	pending_.pop_front();
	return event;
}

void Guard::write_metrics() const
{
	if (Status written = try_guard_metrics(plan_.config.metrics, state_); !written)
		fmt::print(stderr, "guard: {}\n", written.error().what);
}

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
	TRY(try_guard_metrics(plan.config.metrics, state));  // told now; later the guard goes on without it
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
