// SPDX-License-Identifier: GPL-2.0-only
// punctual guard: does what src/guard/guard_state.h decides, tells people, and has the state on disk.
#include <poll.h>
#include <unistd.h>

#include <deque>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/cpu_list.h"
#include "base/file.h"
#include "base/sched_ext.h"
#include "base/sched_ext_log.h"
#include "base/stop.h"
#include "cli/commands.h"
#include "cli/guard_alerts.h"
#include "cli/guard_files.h"
#include "cli/guard_samples.h"
#include "cli/run_options.h"
#include "cli/scheduler_run.h"
#include "guard/guard_record.h"
#include "guard/hook_words.h"
#include "guard/slo_rule.h"

namespace punctual {
namespace {

constexpr int kIdleMs = 200;  // between two looks while nothing of ours is loaded
constexpr int kNrLooks = 6;   // in 90 ms: how exactly the time to EEVDF is known
constexpr size_t kDumpMax = 1UL << 20;
constexpr int64_t kSampleNs = 1'000'000'000;
constexpr int kGoneTries = 20;  // of 100 ms: a killed guard's scheduler goes when the kernel has closed its files
constexpr int kGonePauseMs = 100;

struct GuardOptions {
	RunOptions run;
	std::vector<std::string> slo;
	std::string on_fallback;
	std::string state_dir = "/var/lib/punctual";
	std::string metrics;  // a file
	bool reset = false;
};

int64_t realtime_ns()
{
	return static_cast<int64_t>(clock_ns(CLOCK_REALTIME));
}

double milliseconds(std::chrono::nanoseconds time)
{
	return std::chrono::duration<double, std::milli>(time).count();
}

class Guard {
 public:
	Guard(const GuardOptions& options, SchedulerRun life, StopSignal stop, GuardFiles files, GuardState state,
	      std::vector<SloRule> rules, GuardSamples samples, Hook hook)
	    : options_(options),
	      stop_(std::move(stop)),
	      files_(std::move(files)),
	      state_(std::move(state)),
	      slo_(std::move(rules)),
	      samples_(std::move(samples)),
	      hook_(std::move(hook)),
	      faults_(files_.faults()),
	      life_(std::move(life))
	{
		log_.look();  // what ended before is not ours
	}

	Result<ExitCode> run()
	{
		GuardActionKind action = decide({.kind = GuardEventKind::started});
		while (action != GuardActionKind::end) {  // until a signal: the life of the guard
			const Result<GuardEvent> event = act(action);
			if (!event) {
				(void)decide({.kind = GuardEventKind::stop});  // so that the next one finds no kill
				return std::unexpected(event.error());
			}
			action = decide(*event);
		}
		if (life_.scheduler()) {
			(void)life_.detach(false);
			say_fallback();
			life_.drop();
			write_metrics();
		}
		hook_.finish();
		return ExitCode::ok;
	}

 private:
	GuardActionKind decide(const GuardEvent& event)
	{
		const GuardState before = state_;
		const GuardStep step = next(GuardLimits(), &state_, event, realtime_ns());
		// On record before it is done; who is killed meanwhile has done it or not.
		if (state_ != before)
			files_.save(state_);
		for (const GuardAlert& alert : step.alerts) {
			tell(alert, facts_);
			if (alert.fell_back)
				hook_.start(facts_);
		}
		write_metrics();
		return step.action;
	}

	// Error: what a person has to put right, before anything was loaded.
	Result<GuardEvent> act(GuardActionKind action)
	{
		switch (action) {
		case GuardActionKind::load:
			return load();
		case GuardActionKind::unload:
			return ended(life_.detach(false));
		case GuardActionKind::wait:
			return idle(state_.wait_until_ns);
		case GuardActionKind::stay:
			return life_.scheduler() ? watch() : idle(INT64_MAX);
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

	Result<GuardEvent> load()
	{
		facts_ = {.scheduler = options_.run.sched};
		if (const std::string ops = foreign_scheduler(); !ops.empty())
			return GuardEvent{.kind = GuardEventKind::foreign, .words = ops};
		const Status loaded = life_.load(stop_, is_hotplug_);
		is_hotplug_ = false;
		if (loaded) {
			was_loaded_ = true;
			facts_.scheduler = life_.scheduler()->name();
			samples_.restart();
			slo_.restart();
			pending_.clear();
			sampled_ns_ = static_cast<int64_t>(monotonic_ns());
			return GuardEvent{.kind = GuardEventKind::loaded};
		}
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

	Result<GuardEvent> watch()
	{
		if (pending_.empty()) {
			const Result<Ended> ended_by =
			    life_.watch(&stop_, {.nr_looks = kNrLooks, .watcher = [this] { return step(); }});
			if (!ended_by) {  // --only cannot go on
				(void)life_.detach(false);
				return fault(ExitClass::kernel, ended_by.error().what, "");
			}
			if (*ended_by == Ended::by_signal)
				return GuardEvent{.kind = GuardEventKind::stop};
			if (*ended_by == Ended::by_kernel)
				return ended(life_.detach(true));
		}
		GuardEvent event = std::move(pending_.front());
		pending_.pop_front();
		return event;
	}

	// A step while the scheduler runs. Is there something to decide?
	bool step()
	{
		hook_.step();
		if (files_.take_reset())
			pending_.push_back({.kind = GuardEventKind::reset});
		const auto now_ns = static_cast<int64_t>(monotonic_ns());
		if (!slo_.rules().empty() && now_ns - sampled_ns_ >= kSampleNs) {
			sampled_ns_ = now_ns;
			judge();
		}
		return !pending_.empty();
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
			hook_.step();
			pollfd stopped{stop_.fd(), POLLIN, 0};
			poll(&stopped, 1, kIdleMs);
			if (stop_.raised())
				return {.kind = GuardEventKind::stop};
			if (files_.take_reset())
				return {.kind = GuardEventKind::reset};
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
		life_.drop();
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
		if (options_.metrics.empty())
			return;
		if (Status written = replace_file(options_.metrics, guard_metrics(state_, read_sched_ext().ops));
		    !written)
			fmt::print(stderr, "guard: --metrics: {}\n", written.error().what);
	}

	const GuardOptions& options_;
	StopSignal stop_;
	GuardFiles files_;
	GuardState state_;
	SloWatch slo_;
	GuardSamples samples_;
	Hook hook_;
	FaultFolder faults_;
	SchedExtLog log_;
	AlertFacts facts_;
	std::deque<GuardEvent> pending_;  // of rules; a few
	int64_t sampled_ns_ = 0;
	bool was_loaded_ = false;
	bool is_hotplug_ = false;
	SchedulerRun life_;
};

Result<ExitCode> guard(const GuardOptions& options)
{
	if (options.reset) {
		TRY(reset_guard(options.state_dir));
		return ExitCode::ok;
	}
	if (options.run.sched.empty())
		return fail(ExitCode::usage, "guard needs a scheduler (scx_latency, scx_simple or a file), or --reset");
	std::vector<SloRule> rules;
	rules.reserve(options.slo.size());
	for (const std::string& text : options.slo)
		rules.push_back(TRY(parse_slo_rule(text)));
	std::vector<std::string> hook;
	if (!options.on_fallback.empty())
		hook = TRY(split_hook(options.on_fallback));
	GuardSamples samples = TRY(GuardSamples::create(rules));
	StopSignal stop = TRY(StopSignal::create());
	GuardFiles files = TRY(GuardFiles::create(options.state_dir, stop.fd()));
	GuardState state = TRY(files.read());
	// A place that cannot be written is told now; later the guard goes on without it.
	if (!options.metrics.empty())
		if (Status written = replace_file(options.metrics, guard_metrics(state, read_sched_ext().ops));
		    !written)
			return fail(ExitCode::usage, "--metrics: {}", written.error().what);
	SchedulerRun life = TRY(SchedulerRun::create(options.run));
	const int nice = raise_own_priority();
	return Guard(options, std::move(life), std::move(stop), std::move(files), std::move(state), std::move(rules),
		     std::move(samples), Hook(std::move(hook), nice))
	    .run();
}

}  // namespace

Action setup_guard(CLI::App& app)
{
	auto options = std::make_shared<GuardOptions>();
	declare_scheduler_options(app, &options->run);
	app.get_option("SCHED")->required(false);
	app.add_option("--slo", options->slo,
		       "a rule, e.g. \"p99(vnf.slice) > 100us for 10s then fallback\" (repeatable)")
	    ->allow_extra_args(false);
	app.add_option("--on-fallback", options->on_fallback,
		       "a command to run when the machine fell back to EEVDF; no shell, 30 s at most");
	app.add_option("--state-dir", options->state_dir, "folder for the guard's state and for faults")
	    ->capture_default_str();
	app.add_option("--metrics", options->metrics, "file for Prometheus, replaced at each change");
	app.add_flag("--reset", options->reset, "tell the guard that runs, or the next one, to load again");
	app.footer(
	    "Examples:\n"
	    "  sudo punctual guard scx_latency --slice vnf.slice=60us --slo \"p99(vnf.slice) > 100us for 10s\"\n"
	    "  sudo punctual guard --reset\n"
	    "Three faults in ten minutes and it stays on EEVDF until --reset. SIGTERM unloads at once.");
	return [options] { return guard(*options); };
}

}  // namespace punctual
