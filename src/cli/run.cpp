// SPDX-License-Identifier: GPL-2.0-only
// punctual run: loads a scheduler and watches it until a signal, the end of CMD, or an ejection.
#include <poll.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "base/process.h"
#include "base/stop.h"
#include "cli/commands.h"
#include "cli/run_options.h"
#include "cli/scheduler_run.h"

namespace punctual {
namespace {

constexpr int kRestartsMax = 100;  // hotplug asks for one reload a change; more in one go is a fault of its own
constexpr std::chrono::seconds kSettled{10};    // a scheduler that lived so long begins the count anew
constexpr std::chrono::seconds kCommandEnd{5};  // for CMD to end after a signal, before it is killed

Result<ExitCode> end_command(Child* command, int signal)
{
	command->send(signal);
	TRY(command->wait(kCommandEnd));
	return ExitCode::interrupted;
}

// The scheduler is gone, CMD is not: it may be the service that all this is for, and the kernel's
// own scheduler serves it too. The exit status is CMD's, or that of the fault.
Result<ExitCode> outlive(StopSignal* stop, Child* command, std::optional<ExitCode> fault)
{
	fmt::print(stderr, "punctual: the command goes on under the kernel's own scheduler\n");
	pollfd fds[2] = {{stop->fd(), POLLIN, 0}, {command->pidfd(), POLLIN, 0}};
	while (poll(fds, 2, -1) <= 0) {
	}
	if (stop->raised())
		return end_command(command, stop->number());
	int status = TRY(command->wait()).value_or(1);
	return fault.value_or(static_cast<ExitCode>(status));
}

Result<ExitCode> run(const RunOptions& options)
{
	RunSettings settings = TRY(run_settings(TRY(complete_run_options(options))));
	StopSignal stop = TRY(StopSignal::create());
	SchedulerRun life = TRY(SchedulerRun::create(std::move(settings)));
	std::optional<Child> command;
	const int command_nice = raise_own_priority();

	for (int restarts = 0; restarts <= kRestartsMax; restarts++) {
		auto loaded_at = std::chrono::steady_clock::now();
		Status loaded = life.load(stop, restarts > 0);
		if (!loaded && command) {
			fmt::print(stderr, "punctual: {}\n", loaded.error().what);
			life.end_scope();
			return outlive(&stop, &*command, loaded.error().code);
		}
		TRY(loaded);
		if (!options.command.empty() && !command)
			command.emplace(
			    TRY(Child::spawn(options.command, {.stdin_fd = STDIN_FILENO, .nice = command_nice})));

		Result<Ended> ended = life.watch(&stop, {.command = command ? &*command : nullptr});
		ExitReport report = life.detach(ended == Ended::by_kernel);
		if (!ended && command) {
			fmt::print(stderr, "punctual: {}\n", ended.error().what);
			return outlive(&stop, &*command, ended.error().code);
		}
		TRY(ended);
		if (ended == Ended::by_signal)
			return command ? end_command(&*command, stop.number()) : ExitCode::ok;
		if (ended == Ended::by_command)
			return static_cast<ExitCode>(TRY(command->wait()).value_or(1));
		if (!report.wants_restart()) {
			auto fault = report.is_fault() ? std::optional(ExitCode::ejected) : std::nullopt;
			return command ? outlive(&stop, &*command, fault) : fault.value_or(ExitCode::ok);
		}
		if (std::chrono::steady_clock::now() - loaded_at > kSettled)
			restarts = 0;
	}
	return fail(ExitCode::ejected, "{} was restarted {} times; giving up, the kernel's own scheduler runs",
		    options.sched, kRestartsMax);
}

}  // namespace

Action setup_run(CLI::App& app)
{
	auto options = std::make_shared<RunOptions>();
	declare_run_options(app, options.get());
	app.footer(
	    "Examples:\n"
	    "  sudo punctual run scx_latency --slice vnf.slice=60us\n"
	    "  sudo punctual run scx_simple -- stress-ng --cpu 4 -t 10\n"
	    "Ctrl-C, SIGTERM or the death of this process returns the machine to the kernel's own scheduler.");
	return [options] { return run(*options); };
}

}  // namespace punctual
