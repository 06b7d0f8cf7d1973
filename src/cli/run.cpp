// SPDX-License-Identifier: GPL-2.0-only
// punctual run: loads a scheduler and watches it until a signal, the end of CMD, or an ejection.
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "base/cgroup.h"
#include "base/cpu_list.h"
#include "base/file.h"
#include "base/process.h"
#include "base/stop.h"
#include "cli/budget_watch.h"
#include "cli/cgroup_name.h"
#include "cli/commands.h"
#include "cli/feasible_watch.h"
#include "cli/run_decisions.h"
#include "cli/run_only.h"
#include "cli/run_options.h"
#include "object/scheduler.h"
#include "scope/cpu_max.h"
#include "view/text.h"

namespace punctual {
namespace {

constexpr int kWatchMs = 90;  // how late an ejection or an attribute may be noticed: below 100 with the work itself
constexpr int kRestartsMax = 100;  // hotplug asks for one reload a change; more in one go is a fault of its own
constexpr int kLoadTriesMax = 4;   // of a reload, see load()
constexpr int kLoadPauseMs = 1000;
constexpr std::chrono::seconds kSettled{10};  // a scheduler that lived so long begins the count anew
constexpr int kOwnNice = -20;
constexpr std::chrono::seconds kCommandEnd{5};  // for CMD to end after a signal, before it is killed

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

// The kernel leaves limits to the scheduler then, and ours has none.
void warn_of_cpu_max(const std::filesystem::path& mount, std::string_view sched)
{
	CpuMaxLimits limits = find_cpu_max(mount);
	if (!limits.first.empty())
		fmt::print(stderr, "punctual: cpu.max is not enforced while {} runs: {} has a limit{}\n", sched,
			   clean_text(limits.first),
			   limits.others ? fmt::format(", and {} more cgroups", limits.others) : "");
}

// Only with a scheduler that has budgets, where cgroups exist.
std::optional<BudgetWatch> watch_budgets(Scheduler& scheduler)
{
	auto mount = cgroup2_mount();
	if (!scheduler.budgets() || !mount)
		return std::nullopt;
	if (read_line("/sys/kernel/sched_ext/switch_all").value_or("1") == "1")
		warn_of_cpu_max(*mount, scheduler.name());
	return BudgetWatch(*mount);
}

void print_exit(const std::string& name, const ExitReport& report)
{
	fmt::print(stderr, "punctual: {} ended: {} (kind {}, code {:#x}){}{}\n", name, report.reason, report.kind,
		   report.code, report.message.empty() ? "" : ": ", report.message);
	if (!report.dump_file.empty())
		fmt::print(stderr, "punctual: the kernel's dump is in {}\n", report.dump_file);
}

std::string name_of_class(uint64_t cgroup_id)
{
	return clean_text(cgroup_name(cgroup_id).value_or(fmt::format("cgroup id {}", cgroup_id)));
}

void print_lines(const std::vector<std::string>& lines)
{
	for (const std::string& line : lines)
		fmt::print(stderr, "punctual: {}\n", line);
}

enum class Ended { by_signal, by_command, by_kernel };

// Waits for the first of: a signal, the end of the command, an ejection. Error: --only cannot go on.
Result<Ended> watch(Scheduler& scheduler, StopSignal* stop, const Child* command, BudgetWatch* budgets,
		    FeasibleWatch* feasible, OnlyRun* only, DecisionRun* decisions)
{
	pollfd fds[2] = {{stop->fd(), POLLIN, 0}, {command ? command->pidfd() : -1, POLLIN, 0}};
	while (true) {  // until one of the three happens: the life of the scheduler
		if (budgets) {
			budgets->step(scheduler.budgets());
			print_lines(feasible->step(scheduler.budgets()->verdicts(), std::chrono::steady_clock::now()));
		}
		decisions->follow(scheduler);
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

// On a machine where much runs, a scheduler that a hotplug ended is to be back soon, and budgets are to follow their
// attributes. Returns the nice value that we had, for CMD. Without the right to it all is as before.
int raise_own_priority()
{
	const int nice = getpriority(PRIO_PROCESS, 0);
	setpriority(PRIO_PROCESS, 0, kOwnNice);
	return nice;
}

// What is loaded for the first time is taken or refused. A reload is tried again: beside the hotplug that asked for
// it the kernel may refuse what it takes a second later, and nobody may be there to start us anew.
Result<Scheduler> load(const RunOptions& options, const SchedulerOptions& scheduler_opts, const StopSignal& stop,
		       bool is_reload)
{
	for (int tries = 1;; tries++) {
		Result<Scheduler> attached = Scheduler::attach(options.sched, scheduler_opts);
		if (attached || !is_reload || tries == kLoadTriesMax)
			return attached;
		fmt::print(stderr, "punctual: {}; trying again\n", attached.error().what);
		pollfd stopped{stop.fd(), POLLIN, 0};
		if (poll(&stopped, 1, kLoadPauseMs) > 0)
			return attached;
	}
}

Result<ExitCode> run(const RunOptions& flags)
{
	RunOptions options = TRY(complete_run_options(flags));
	SchedulerOptions scheduler_opts = TRY(scheduler_options(options));
	StopSignal stop = TRY(StopSignal::create());
	if (Status repaired = repair_and_say(); !repaired) {
		if (options.only)
			return std::unexpected(repaired.error());
		fmt::print(stderr, "punctual: {}\n", repaired.error().what);
	}
	OnlyRun only = TRY(OnlyRun::create(scheduler_opts.cpus, TRY(only_slices(options))));
	DecisionRun decisions = TRY(DecisionRun::create(options.record_decisions));
	std::optional<Child> command;
	std::optional<BudgetWatch> budgets;
	FeasibleWatch feasible(name_of_class);
	const int command_nice = raise_own_priority();

	for (int restarts = 0; restarts <= kRestartsMax; restarts++) {
		auto loaded_at = std::chrono::steady_clock::now();
		Result<Scheduler> attached = load(options, scheduler_opts, stop, restarts > 0);
		if (!attached && command) {
			fmt::print(stderr, "punctual: {}\n", attached.error().what);
			only.end();
			return outlive(&stop, &*command, attached.error().code);
		}
		Scheduler scheduler = TRY(std::move(attached));
		TRY(only.start());
		print_enabled(scheduler, scheduler_opts);
		if (!options.command.empty() && !command)
			command.emplace(
			    TRY(Child::spawn(options.command, {.stdin_fd = STDIN_FILENO, .nice = command_nice})));

		if (!budgets)
			budgets = watch_budgets(scheduler);
		Result<Ended> ended = watch(scheduler, &stop, command ? &*command : nullptr,
					    budgets ? &*budgets : nullptr, &feasible, &only, &decisions);
		ExitReport report = scheduler.detach();
		if (ended != Ended::by_kernel || !report.wants_restart())
			print_lines(feasible.summary());
		print_exit(scheduler.name(), report);
		decisions.end(scheduler);
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
		// The same options on the changed machine, with the budgets as they stand by now.
		if (scheduler.budgets())
			if (auto standing = standing_budgets(*scheduler.budgets()))
				scheduler_opts.budgets = std::move(*standing);
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
