// SPDX-License-Identifier: GPL-2.0-only
// punctual run: loads a scheduler and watches it until a signal, the end of CMD, or an ejection.
#include <poll.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "base/cpu_list.h"
#include "base/file.h"
#include "base/process.h"
#include "base/stop.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/run_only.h"
#include "object/scheduler.h"
#include "scope/budget_option.h"

namespace punctual {
namespace {

constexpr int kWatchMs = 100;      // how late an ejection may be noticed
constexpr int kRestartsMax = 100;  // hotplug asks for one reload a change; more in one go is a fault of its own
constexpr std::chrono::seconds kSettled{10};    // a scheduler that lived so long begins the count anew
constexpr std::chrono::seconds kCommandEnd{5};  // for CMD to end after a signal, before it is killed

struct RunOptions {
	std::string sched;
	std::string cpus;
	std::vector<std::string> slices;
	std::vector<std::string> set;
	std::string timeout;
	bool only = false;
	std::vector<std::filesystem::path> only_slices;  // directories of `slices`, with --only
	std::vector<std::string> command;
};

// Fills in options->only_slices too.
Result<SchedulerOptions> scheduler_options(RunOptions* given)
{
	const RunOptions& options = *given;
	SchedulerOptions scheduler;
	if (options.only && (options.cpus.empty() || options.slices.empty()))
		return fail(ExitCode::usage,
			    "--only needs --cpus LIST, which nothing else will use, and --slice CGROUP[=DURATION]");
	scheduler.only_named = options.only;
	if (!options.cpus.empty())
		scheduler.cpus = TRY(cpus_of_this_machine(options.cpus));
	for (const std::string& slice : options.slices)
		if (options.only)
			given->only_slices.push_back(TRY(parse_only_slice(slice, &scheduler.budgets)));
		else
			scheduler.budgets.push_back(TRY(parse_budget(slice)));
	scheduler.set = options.set;
	if (!options.timeout.empty()) {
		auto timeout = TRY(parse_duration(options.timeout));
		if (timeout < std::chrono::milliseconds(100) || timeout > std::chrono::seconds(30))
			return fail(ExitCode::usage, "--timeout {} is outside 100ms to 30s", options.timeout);
		scheduler.timeout_ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
	}
	return scheduler;
}

// "118" of "0.00 0.01 0.05 2/118 4242"
std::string tasks_of_machine()
{
	std::string loadavg = read_line("/proc/loadavg").value_or("");
	size_t slash = loadavg.find('/');
	if (slash == std::string::npos)
		return "?";
	return loadavg.substr(slash + 1, loadavg.find(' ', slash) - slash - 1);
}

void print_enabled(const Scheduler& scheduler, const SchedulerOptions& options)
{
	for (const std::string& note : scheduler.notes())
		fmt::print(stderr, "punctual: {}: {}\n", scheduler.name(), note);
	std::string cpus = options.cpus.empty() ? CpuList::online().value_or(CpuList()).text() : options.cpus.text();
	fmt::print(stderr, "punctual: {} enabled on cpus {} (prog id {}, {} tasks)\n", scheduler.name(), cpus,
		   scheduler.program_id(), tasks_of_machine());
}

void print_exit(const std::string& name, const ExitReport& report)
{
	fmt::print(stderr, "punctual: {} ended: {} (kind {}, code {:#x}){}{}\n", name, report.reason, report.kind,
		   report.code, report.message.empty() ? "" : ": ", report.message);
	if (!report.dump_file.empty())
		fmt::print(stderr, "punctual: the kernel's dump is in {}\n", report.dump_file);
}

enum class Ended { by_signal, by_command, by_kernel };

// Waits for the first of: a signal, the end of the command, an ejection. Error: --only cannot go on.
Result<Ended> watch(const Scheduler& scheduler, StopSignal* stop, const Child* command, OnlyRun* only)
{
	pollfd fds[2] = {{stop->fd(), POLLIN, 0}, {command ? command->pidfd() : -1, POLLIN, 0}};
	while (true) {  // until one of the three happens: the life of the scheduler
		poll(fds, 2, kWatchMs);
		if (stop->raised())
			return Ended::by_signal;
		if (fds[1].revents)
			return Ended::by_command;
		if (!scheduler.is_enabled())
			return Ended::by_kernel;
		TRY(only->follow());
	}
}

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

Result<ExitCode> run(RunOptions options)
{
	SchedulerOptions scheduler_opts = TRY(scheduler_options(&options));
	StopSignal stop = TRY(StopSignal::create());
	if (Status repaired = repair_and_say(); !repaired) {
		if (options.only)
			return std::unexpected(repaired.error());
		fmt::print(stderr, "punctual: {}\n", repaired.error().what);
	}
	OnlyRun only = TRY(OnlyRun::create(scheduler_opts.cpus, options.only_slices));
	std::optional<Child> command;

	for (int restarts = 0; restarts <= kRestartsMax; restarts++) {
		auto loaded_at = std::chrono::steady_clock::now();
		Result<Scheduler> attached = Scheduler::attach(options.sched, scheduler_opts);
		if (!attached && command) {
			fmt::print(stderr, "punctual: {}\n", attached.error().what);
			only.end();
			return outlive(&stop, &*command, attached.error().code);
		}
		Scheduler scheduler = TRY(std::move(attached));
		TRY(only.start());
		print_enabled(scheduler, scheduler_opts);
		if (!options.command.empty() && !command)
			command.emplace(TRY(Child::spawn(options.command, {.stdin_fd = STDIN_FILENO})));

		Result<Ended> ended = watch(scheduler, &stop, command ? &*command : nullptr, &only);
		ExitReport report = scheduler.detach();
		print_exit(scheduler.name(), report);
		if (ended != Ended::by_kernel || !report.wants_restart())
			only.end();
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
		// The same options on the changed machine.
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
	app.add_option("SCHED", options->sched, "scx_latency, scx_simple, or a BPF object file")->required();
	app.add_option("--cpus", options->cpus, "CPUs on which the policy applies, e.g. 0-3,8 (default: all)");
	app.add_option("--slice", options->slices, "latency budget CGROUP=DURATION, e.g. vnf.slice=60us (repeatable)")
	    ->allow_extra_args(false);
	app.add_flag(
	    "--only", options->only,
	    "only the tasks of the named slices leave the kernel's own scheduler, and get --cpus for themselves");
	app.add_option("--set", options->set, "NAME=VALUE: a tunable of the scheduler (repeatable)")
	    ->allow_extra_args(false);
	app.add_option("--timeout", options->timeout, "ejected when a task waits longer than this (100ms to 30s)");
	app.add_option("CMD", options->command,
		       "after --: the scheduler lives for the run of CMD, whose exit status is returned");
	app.footer(
	    "Examples:\n"
	    "  sudo punctual run scx_latency --slice vnf.slice=60us\n"
	    "  sudo punctual run scx_simple -- stress-ng --cpu 4 -t 10\n"
	    "Ctrl-C, SIGTERM or the death of this process returns the machine to the kernel's own scheduler.");
	return [options] { return run(*options); };
}

}  // namespace punctual
