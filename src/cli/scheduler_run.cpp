// SPDX-License-Identifier: GPL-2.0-only
#include "cli/scheduler_run.h"

#include <poll.h>
#include <sys/resource.h>

#include "base/cgroup.h"
#include "base/cpu_list.h"
#include "base/file.h"
#include "cli/cgroup_name.h"
#include "scope/cpu_max.h"
#include "view/text.h"

namespace punctual {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWatchMs = 90;      // how late an ejection or an attribute may be noticed: below 100 with the work itself
constexpr int kLoadTriesMax = 4;  // of a reload
constexpr int kLoadPauseMs = 1000;
constexpr int kOwnNice = -20;

// "118" of "0.00 0.01 0.05 2/118 4242"
std::string tasks_of_machine()
{
	std::string loadavg = read_line("/proc/loadavg").value_or("");
	size_t slash = loadavg.find('/');
	if (slash == std::string::npos)
		return "?";
	return loadavg.substr(slash + 1, loadavg.find(' ', slash) - slash - 1);
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

}  // namespace

void print_lines(const std::vector<std::string>& lines)
{
	for (const std::string& line : lines)
		fmt::print(stderr, "punctual: {}\n", line);
}

int raise_own_priority()
{
	const int nice = getpriority(PRIO_PROCESS, 0);
	setpriority(PRIO_PROCESS, 0, kOwnNice);
	return nice;
}

SchedulerRun::SchedulerRun(RunSettings settings, OnlyRun only, DecisionRun decisions)
    : settings_(std::move(settings)), only_(std::move(only)), decisions_(std::move(decisions)), feasible_(name_of_class)
{}

Result<SchedulerRun> SchedulerRun::create(RunSettings settings)
{
	if (Status repaired = repair_and_say(); !repaired) {
		if (settings.scheduler.only_named)
			return std::unexpected(repaired.error());
		fmt::print(stderr, "punctual: {}\n", repaired.error().what);
	}
	OnlyRun only = TRY(OnlyRun::create(settings.scheduler.cpus, settings.slices));
	DecisionRun decisions = TRY(DecisionRun::create(settings.record_decisions));
	return SchedulerRun(std::move(settings), std::move(only), std::move(decisions));
}

Status SchedulerRun::renew(RunSettings settings)
{
	OnlyRun only = TRY(OnlyRun::create(settings.scheduler.cpus, settings.slices));
	only_.emplace(std::move(only));
	settings_ = std::move(settings);
	budgets_.reset();
	return {};
}

void SchedulerRun::print_enabled() const
{
	for (const std::string& note : scheduler_->notes())
		fmt::print(stderr, "punctual: {}: {}\n", scheduler_->name(), note);
	const CpuList& mask = settings_.scheduler.cpus;
	std::string cpus = mask.empty() ? CpuList::online().value_or(CpuList()).text() : mask.text();
	fmt::print(stderr, "punctual: {} enabled on cpus {} (prog id {}, {} tasks)\n", scheduler_->name(), cpus,
		   scheduler_->program_id(), tasks_of_machine());
}

Status SchedulerRun::load(const StopSignal& stop, bool is_reload)
{
	scheduler_.reset();
	for (int tries = 1; !scheduler_; tries++) {
		Result<Scheduler> attached = Scheduler::attach(settings_.sched, settings_.scheduler);
		if (attached) {
			scheduler_.emplace(std::move(*attached));
			break;
		}
		if (!is_reload || tries == kLoadTriesMax)
			return std::unexpected(attached.error());
		fmt::print(stderr, "punctual: {}; trying again\n", attached.error().what);
		pollfd stopped{stop.fd(), POLLIN, 0};
		if (poll(&stopped, 1, kLoadPauseMs) > 0)
			return std::unexpected(attached.error());
	}
	enabled_at_ = Clock::now();
	if (Status started = only_->start(); !started) {
		scheduler_.reset();
		return started;
	}
	print_enabled();
	if (!budgets_)
		budgets_ = watch_budgets(*scheduler_);
	return {};
}

// The kernel's state tells of an end as it begins, the exit record only when it is over.
bool SchedulerRun::is_enabled()
{
	const Clock::time_point now = Clock::now();
	if (!scheduler_->is_enabled() || read_line("/sys/kernel/sched_ext/state").value_or("") != "enabled")
		return false;
	enabled_at_ = now;
	return true;
}

Result<Ended> SchedulerRun::watch(StopSignal* stop, const WatchOptions& options)
{
	pollfd fds[2] = {{stop->fd(), POLLIN, 0}, {options.command ? options.command->pidfd() : -1, POLLIN, 0}};
	while (true) {  // until one of them happens: the life of the scheduler
		if (budgets_) {
			budgets_->step(scheduler_->budgets());
			print_lines(feasible_.step(scheduler_->budgets()->verdicts(), Clock::now()));
		}
		decisions_.follow(*scheduler_);
		for (int look = 0; look < options.nr_looks; look++) {
			poll(fds, 2, kWatchMs / options.nr_looks);
			if (stop->raised())
				return Ended::by_signal;
			if (fds[1].revents)
				return Ended::by_command;
			if (!is_enabled())
				return Ended::by_kernel;
		}
		TRY(only_->follow());
		if (options.watcher && options.watcher())
			return Ended::by_watcher;
	}
}

ExitReport SchedulerRun::detach(bool may_reload)
{
	(void)is_enabled();
	ExitReport report = scheduler_->detach();
	given_up_at_ = Clock::now();
	const bool reloads = may_reload && report.wants_restart();
	if (!reloads)
		print_lines(feasible_.summary());
	print_exit(scheduler_->name(), report);
	decisions_.end(*scheduler_);
	if (!reloads)
		only_->end();
	// For the next one the same options, with the budgets as they stand by now.
	if (scheduler_->budgets())
		if (auto standing = standing_budgets(*scheduler_->budgets()))
			settings_.scheduler.budgets = std::move(*standing);
	return report;
}

}  // namespace punctual
