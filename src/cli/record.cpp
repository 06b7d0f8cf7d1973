// SPDX-License-Identifier: GPL-2.0-only
// punctual record: run-queue waits into a file, window after window, until the time is over, CMD ends or a signal.
#include <poll.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/cpu_info.h"
#include "base/cpu_list.h"
#include "base/file.h"
#include "base/process.h"
#include "base/sched_ext.h"
#include "base/stop.h"
#include "cli/commands.h"
#include "cli/runq_options.h"
#include "cli/waits_file.h"
#include "runq/recording.h"
#include "view/number.h"
#include "view/text.h"

namespace punctual {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kDuration{30};  // without CMD
constexpr std::chrono::milliseconds kIntervalMin{10};
constexpr std::chrono::seconds kIntervalMax{60};  // 32-bit counters wrap
constexpr std::chrono::seconds kOutliersEach{1};  // the kernel's buffer holds some hundred
constexpr std::chrono::seconds kCommandEnd{5};    // for CMD to end after a signal, before it is killed

struct RecordArguments {
	std::string out;
	std::string duration;
	std::string interval = "100ms";
	std::string cgroup;
	std::string pid;
	std::string cpus;
	std::vector<std::string> command;
	bool force = false;
};

struct RecordPlan {
	CollectorOptions collector;
	std::optional<Nanoseconds> duration;  // none: as long as CMD runs
	Nanoseconds interval{};
};

Result<RecordPlan> plan_of(const RecordArguments& arguments)
{
	RunqOptions filter;
	filter.pid = arguments.pid;
	filter.cgroup = arguments.cgroup;
	filter.cpus = arguments.cpus;
	RecordPlan plan;
	plan.collector = TRY(runq_plan(filter)).collector;
	plan.interval = TRY(parse_duration(arguments.interval));
	if (plan.interval < kIntervalMin || plan.interval > kIntervalMax)
		return fail(ExitCode::usage, "--interval {}: give 10ms to 60s", arguments.interval);
	if (!arguments.duration.empty())
		plan.duration = TRY(parse_duration(arguments.duration));
	else if (arguments.command.empty())
		plan.duration = kDuration;
	if (plan.duration && *plan.duration < plan.interval)
		return fail(ExitCode::usage, "--duration {}: it is shorter than a window ({})", arguments.duration,
			    arguments.interval);
	return plan;
}

std::string filter_text(const RecordArguments& arguments)
{
	std::string text;
	for (const auto& [name, value] :
	     {std::pair("cgroup", arguments.cgroup), {"process", arguments.pid}, {"CPUs", arguments.cpus}})
		if (!value.empty())
			text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
	return text;
}

SchedulerState scheduler_state()
{
	const SchedExtState now = read_sched_ext();
	return {now.ops.empty() ? SchedulerState().name : now.ops, now.enable_seq, now.nr_rejected};
}

RecordingEnvironment environment_of(const RecordArguments& arguments, const RecordPlan& plan)
{
	utsname system{};
	::uname(&system);
	RecordingEnvironment environment;
	environment.host = system.nodename;
	environment.kernel = system.release;
	environment.cpu_model = cpu_model();
	environment.nr_cpus = static_cast<u32>(CpuList::online().value_or(CpuList()).size());
	environment.scheduler = scheduler_state().name;
	environment.command_line = read_file("/proc/self/cmdline", 1UL << 20).value_or("");
	std::ranges::replace(environment.command_line, '\0', ' ');
	environment.command_line.erase(environment.command_line.find_last_not_of(' ') + 1);
	environment.filter = filter_text(arguments);
	environment.start_wall_ns = clock_ns(CLOCK_REALTIME);
	environment.start_ns = monotonic_ns();
	environment.interval_ns = static_cast<u64>(plan.interval.count());
	return environment;
}

class Recorder {
 public:
	Recorder(Collector collector, RecordingWriter writer)
	    : collector_(std::move(collector)), writer_(std::move(writer))
	{}

	Status begin(u64 start_ns);
	Status step();  // the end of a window
	Status finish();
	const WaitSnapshot& last() const { return last_; }
	u64 nr_windows() const { return nr_windows_; }
	u64 bytes() const { return writer_.bytes(); }

 private:
	Collector collector_;
	RecordingWriter writer_;
	WaitSnapshot last_;
	SchedulerState state_;
	Clock::time_point outliers_at_ = Clock::now();
	u64 nr_windows_ = 0;
};

Status Recorder::begin(u64 start_ns)
{
	state_ = scheduler_state();
	return writer_.append_scheduler({start_ns, state_});
}

Status Recorder::step()
{
	const SchedulerState state = scheduler_state();
	if (state_ != state)
		TRY(writer_.append_scheduler({monotonic_ns(), state}));
	state_ = state;
	last_ = TRY(collector_.snapshot());
	TRY(writer_.append_snapshot(last_));
	nr_windows_++;
	if (Clock::now() - outliers_at_ < kOutliersEach)
		return {};
	outliers_at_ = Clock::now();
	return writer_.append_outliers(TRY(collector_.outliers()));
}

Status Recorder::finish()
{
	TRY(step());
	TRY(writer_.append_outliers(TRY(collector_.outliers())));
	return writer_.finish(last_.at_ns);
}

enum class Ended { by_time, by_signal, by_command };

// A window that took too long is followed by the next at once; none is made up for.
Result<Ended> record_windows(const RecordPlan& plan, Recorder* recorder, StopSignal* stop, const Child* command)
{
	const Clock::time_point begun = Clock::now();
	Clock::time_point due = begun + plan.interval;
	for (;;) {
		if (plan.duration && due > begun + *plan.duration)
			due = begun + *plan.duration;
		const Nanoseconds left = std::max<Nanoseconds>(due - Clock::now(), Nanoseconds(0));
		pollfd fds[] = {{stop->fd(), POLLIN, 0}, {command ? command->pidfd() : -1, POLLIN, 0}};
		poll(fds, std::size(fds), static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count()));
		if (stop->raised())
			return Ended::by_signal;
		if (fds[1].revents)
			return Ended::by_command;
		const Clock::time_point now = Clock::now();
		if (plan.duration && now >= begun + *plan.duration)
			return Ended::by_time;
		if (now < due)
			continue;
		TRY(recorder->step());
		due = std::max(due + plan.interval, now);
	}
}

void print_summary(const std::string& path, const Recorder& recorder, u64 start_ns)
{
	const WaitSnapshot& total = recorder.last();
	const u64 nr = total.all().count(), lost = total.losses.lost;
	fmt::print(stderr, "punctual: {}: {:.1f} s in {} windows, {} waits, {} lost, {:.1f} KiB\n", clean_text(path),
		   static_cast<double>(total.at_ns - std::min(start_ns, total.at_ns)) / 1e9, recorder.nr_windows(),
		   count_text(nr), count_text(lost), static_cast<double>(recorder.bytes()) / 1024);
	if (static_cast<double>(lost) > kLostShareMax * static_cast<double>(nr + lost))
		fmt::print(stderr,
			   "punctual: more than {:g} % of the events were lost: `compare` will give no verdict\n",
			   100 * kLostShareMax);
}

Result<ExitCode> end_command(Child* command, Ended ended, StopSignal* stop)
{
	if (ended == Ended::by_command)
		return static_cast<ExitCode>(TRY(command->wait()).value_or(1));
	command->send(ended == Ended::by_signal ? stop->number() : SIGTERM);
	TRY(command->wait(kCommandEnd));
	return ExitCode::ok;
}

Result<ExitCode> record(const RecordArguments& arguments)
{
	const RecordPlan plan = TRY(plan_of(arguments));
	struct stat existing;
	if (!arguments.force && ::stat(arguments.out.c_str(), &existing) == 0)
		return fail(ExitCode::usage, "{} exists already: choose another name, or --force to replace it",
			    arguments.out);
	StopSignal stop = TRY(StopSignal::create());
	const RecordingEnvironment environment = environment_of(arguments, plan);
	Collector collector = TRY(Collector::attach(plan.collector));
	Recorder recorder(std::move(collector),
			  TRY(RecordingWriter::create(arguments.out, environment, arguments.force)));
	TRY(recorder.begin(environment.start_ns));
	std::optional<Child> command;
	if (!arguments.command.empty())
		command.emplace(TRY(Child::spawn(arguments.command, {.stdin_fd = STDIN_FILENO})));
	const Ended ended = TRY(record_windows(plan, &recorder, &stop, command ? &*command : nullptr));
	TRY(recorder.finish());
	print_summary(arguments.out, recorder, environment.start_ns);
	return command ? end_command(&*command, ended, &stop) : ExitCode::ok;
}

}  // namespace

Action setup_record(CLI::App& app)
{
	auto arguments = std::make_shared<RecordArguments>();
	app.add_option("-o,--output", arguments->out, "the file to write")->required();
	app.add_option("-d,--duration", arguments->duration, "how long; else 30s, or until CMD ends");
	app.add_option("--interval", arguments->interval, "length of a window")->capture_default_str();
	app.add_option("-c,--cgroup", arguments->cgroup, "only tasks of this cgroup and of those below it");
	app.add_option("-p,--pid", arguments->pid, "only the threads of this process");
	app.add_option("-C,--cpus", arguments->cpus, "only waits that end on these CPUs, e.g. 0-3,8");
	app.add_flag("--force", arguments->force, "replace the file if it exists");
	app.add_option("CMD", arguments->command, "after --, a command to run meanwhile");
	app.positionals_at_end();
	return [arguments] { return record(*arguments); };
}

}  // namespace punctual
