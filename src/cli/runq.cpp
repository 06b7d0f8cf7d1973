// SPDX-License-Identifier: GPL-2.0-only
// punctual runq: run-queue waits, one interval after the other.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "base/process.h"
#include "base/stop.h"
#include "cli/commands.h"
#include "cli/runq_json.h"
#include "cli/runq_options.h"

namespace punctual {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLookAgain{1};    // outliers wait in a buffer of their own
constexpr std::chrono::minutes kReadAtLeast{1};  // 32-bit counters wrap
constexpr size_t kOutliersMax = 10'000;          // in a window
constexpr std::chrono::seconds kCommandEnd{5};   // for CMD to end after a signal, before it is killed

enum class Ended { by_time, by_signal, by_command };

class RunqWatch {
 public:
	RunqWatch(const RunqOptions& options, const RunqPlan& plan, Collector collector)
	    : options_(options), plan_(plan), collector_(std::move(collector))
	{}

	Status begin();  // of the first window
	Result<Ended> wait(StopSignal* stop, const Child* command);
	Status end_window(bool partial);  // prints it; the next begins

 private:
	Status look();

	const RunqOptions& options_;
	const RunqPlan& plan_;
	Collector collector_;
	WaitSnapshot before_;
	SchedulerWaits scheduler_before_;
	std::vector<WaitOutlier> outliers_;  // of the window, at most kOutliersMax
	u64 nr_outliers_dropped_ = 0;        // of the window, beyond them
	u64 number_ = 0;
};

Status RunqWatch::begin()
{
	if (options_.cost)
		TRY(collector_.cost());
	before_ = TRY(collector_.snapshot());
	scheduler_before_ = read_scheduler_waits();
	return {};
}

Status RunqWatch::look()
{
	if (!options_.outliers)
		return {};
	std::vector<WaitOutlier> more = TRY(collector_.outliers());
	const size_t taken = std::min(more.size(), kOutliersMax - outliers_.size());
	nr_outliers_dropped_ += more.size() - taken;
	outliers_.insert(outliers_.end(), more.begin(), more.begin() + static_cast<ptrdiff_t>(taken));
	return {};
}

Result<Ended> RunqWatch::wait(StopSignal* stop, const Child* command)
{
	const Clock::time_point begun = Clock::now();
	Clock::time_point read_at = begun;
	for (;;) {
		const Clock::time_point now = Clock::now();
		if (plan_.interval && now - begun >= *plan_.interval)
			return Ended::by_time;
		Nanoseconds left = kLookAgain;
		if (plan_.interval)
			left = std::min<Nanoseconds>(left, *plan_.interval - (now - begun));
		pollfd fds[] = {{stop->fd(), POLLIN, 0}, {command ? command->pidfd() : -1, POLLIN, 0}};
		const int ms = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
		const int ready = poll(fds, std::size(fds), ms);
		TRY(look());
		if (ready > 0 && fds[1].revents != 0)
			return Ended::by_command;
		if (ready > 0 && stop->raised())
			return Ended::by_signal;
		if (Clock::now() - read_at > kReadAtLeast) {
			TRY(collector_.snapshot());
			read_at = Clock::now();
		}
	}
}

Status RunqWatch::end_window(bool partial)
{
	RunqWindow window;
	WaitSnapshot after = TRY(collector_.snapshot());
	SchedulerWaits scheduler_after = read_scheduler_waits();
	window.number = ++number_;
	window.begin_ns = before_.at_ns;
	window.waits = waits_between(before_, after);
	window.by = plan_.by;
	window.scheduler = scheduler_waits_between(scheduler_before_, scheduler_after);
	window.partial = partial;
	if (options_.outliers) {
		TRY(look());
		window.outliers = std::exchange(outliers_, {});
		window.waits.losses.outliers_dropped += std::exchange(nr_outliers_dropped_, 0);
	}
	if (options_.cost)
		window.cost = TRY(collector_.cost());
	if (options_.json)
		fmt::print("{}\n", runq_json(window));
	else
		fmt::print("{}{}", number_ > 1 ? "\n" : "", runq_text(window));
	std::fflush(stdout);
	before_ = std::move(after);
	scheduler_before_ = std::move(scheduler_after);
	return {};
}

// The command may go on after the last window; a signal is passed on to it.
Result<ExitCode> outlive(StopSignal* stop, Child* command)
{
	pollfd fds[] = {{stop->fd(), POLLIN, 0}, {command->pidfd(), POLLIN, 0}};
	if (!stop->raised())
		poll(fds, std::size(fds), -1);
	if (stop->raised())
		command->send(stop->number());
	const std::optional<int> status = TRY(command->wait(kCommandEnd));
	return static_cast<ExitCode>(status.value_or(128 + SIGKILL));
}

Result<ExitCode> run(const RunqOptions& options)
{
	const RunqPlan plan = TRY(runq_plan(options));
	StopSignal stop = TRY(StopSignal::create());
	RunqWatch watch(options, plan, TRY(Collector::attach(plan.collector)));
	TRY(watch.begin());
	std::optional<Child> command;
	if (!plan.command.empty())
		command.emplace(TRY(Child::spawn(plan.command, {.stdin_fd = STDIN_FILENO})));
	Ended ended = Ended::by_time;
	for (u64 nr = 0; ended == Ended::by_time && nr < plan.count.value_or(~0ULL); nr++) {
		ended = TRY(watch.wait(&stop, command ? &*command : nullptr));
		TRY(watch.end_window(ended == Ended::by_signal));
	}
	return command ? outlive(&stop, &*command) : ExitCode::ok;
}

}  // namespace

Action setup_runq(CLI::App& app)
{
	auto options = std::make_shared<RunqOptions>();
	declare_runq_options(app, options.get());
	app.footer(
	    "Examples:\n"
	    "  sudo punctual runq 5 3\n"
	    "  sudo punctual runq --by cgroup\n"
	    "  sudo punctual runq -c vnf.slice --json -- sleep 10\n"
	    "Ctrl-C prints the interval so far.");
	return [options] { return run(*options); };
}

}  // namespace punctual
