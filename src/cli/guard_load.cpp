// SPDX-License-Identifier: GPL-2.0-only
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/sched_ext.h"
#include "cli/guard_life.h"

namespace punctual {
namespace {

constexpr size_t kDumpMax = 1UL << 20;
constexpr int kGoneTries = 20;  // of 100 ms: a killed guard's scheduler goes when the kernel has closed its files
constexpr int kGonePauseMs = 100;

double milliseconds(std::chrono::nanoseconds time)
{
	return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

// Another scheduler, not one that is on its way out.
std::string Guard::foreign_scheduler()
{
	std::string ops = read_sched_ext().ops;
	for (int tries = 0; !ops.empty() && tries < kGoneTries && !stop_.raised(); tries++) {
		poll(nullptr, 0, kGonePauseMs);
		ops = read_sched_ext().ops;
	}
	return ops;
}

// A life for the plan, where the last one has ended or was for another.
Status Guard::renew()
{
	if (is_fresh_)
		return {};
	RunSettings settings = plan_.settings;
	settings.scheduler.budgets = plan_.has_budgets ? budgets_.standing() : std::vector<Budget>();
	TRY(life_.renew(std::move(settings)));
	is_fresh_ = true;
	return {};
}

Result<GuardEvent> Guard::load()
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
	if (!was_loaded_ && (loaded.error().code == ExitCode::usage || loaded.error().code == ExitCode::lacking))
		return std::unexpected(loaded.error());
	if (const std::string ops = foreign_scheduler(); !ops.empty())
		return GuardEvent{.kind = GuardEventKind::foreign, .words = ops};
	return fault(ExitClass::refused, loaded.error().what, "");
}

GuardEvent Guard::after_load()
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
Result<GuardEvent> Guard::reload()
{
	const ExitReport report = life_.detach(false);
	if (report.is_fault())
		return ended(report);
	say_fallback();
	forget_life();
	Result<GuardEvent> event = load();
	const bool is_refused = !event || event->kind == GuardEventKind::exited;
	if (is_refused && before_) {
		const std::string why = event ? event->words : event.error().what;
		const ConfigChange back = config_change(plan_.config, before_->config);
		take_over(std::move(*before_), back);
		before_.reset();
		refuse_config(why);
	}
	return event;
}

void Guard::forget_life()
{
	if (life_.scheduler()->budgets())
		budgets_.unloaded(life_.options().budgets);
	life_.drop();
	is_fresh_ = false;
}

// The scheduler is gone: why, and does the kernel's own one run?
GuardEvent Guard::ended(const ExitReport& report)
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
	const bool by_rule = exit_told(state_, exit_class) == ExitClass::slo;
	return fault(exit_class, by_rule ? state_.reason : exit_cause(exit), exit.dump);
}

GuardEvent Guard::fault(ExitClass exit_class, const std::string& cause, const std::string& dump)
{
	life_.drop();
	const ExitClass told = exit_told(state_, exit_class);
	facts_.exit_class = exit_class_name(told);
	facts_.cause = cause;
	facts_.fault_file = is_fault(told) ? faults_.keep(guard_now_ns(), facts_, dump) : "";
	return {.kind = GuardEventKind::exited,
		.exit_class = exit_class,
		.words = fmt::format("{}: {}", exit_class_name(told), cause)};
}

void Guard::say_fallback() const
{
	const SchedExtState now = read_sched_ext();
	if (now.ops.empty())
		fmt::print(stderr, "guard: EEVDF runs; it took over within {:.0f} ms\n",
			   milliseconds(life_.fall_back_time()));
	else
		fmt::print(stderr, "guard: {} runs now, not EEVDF\n", now.ops);
}

}  // namespace punctual
