// SPDX-License-Identifier: GPL-2.0-only
#include "bench/arm_setup.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file.h"
#include "object/class_waits.h"
#include "scope/thread_policy.h"

namespace punctual {
namespace {

constexpr std::string_view kVnf = "vnf.slice";
constexpr std::string_view kTelemetry = "telemetry.slice";
constexpr uint64_t kShortestSliceNs = 100'000;  // what the kernel clamps to

Status ask_for_short_slice(pid_t pid)
{
	SchedulingAttributes attributes;
	attributes.policy = SCHED_OTHER;
	attributes.runtime_ns = kShortestSliceNs;
	if (int error = set_attributes(pid, attributes); error != 0)
		return fail_errno(error, ExitCode::lacking, "arm 'eevdf-slice': cannot set a slice");
	// Older kernels accept the call and ignore the value.
	SchedulingAttributes now;
	if (get_attributes(pid, &now) != 0 || now.runtime_ns != kShortestSliceNs)
		return fail(ExitCode::lacking,
			    "arm 'eevdf-slice': this kernel ignores custom slices (it takes 6.12 or later)");
	return {};
}

// More than the packet function needs at 60,000 packets a second, and less than what the kernel admits (95 %).
Status reserve_time(pid_t pid)
{
	SchedulingAttributes attributes;
	attributes.policy = SCHED_DEADLINE;
	attributes.runtime_ns = 600'000;
	attributes.deadline_ns = attributes.period_ns = 1'000'000;
	const int error = set_attributes(pid, attributes);
	if (error == EPERM)
		return fail(
		    ExitCode::lacking,
		    "arm 'deadline': the kernel takes no SCHED_DEADLINE task that may not run on all CPUs of its "
		    "partition (run as root, and with --cpus that are all of a cpuset partition, or with --lab)");
	if (error != 0)
		return fail_errno(error, ExitCode::lacking, "arm 'deadline': cannot set SCHED_DEADLINE");
	return {};
}

bool has_word(std::string_view text, std::string_view word)
{
	return (" " + std::string(text) + " ").find(fmt::format(" {} ", word)) != std::string::npos;
}

bool has_cgroups(const std::filesystem::path& directory)
{
	std::error_code error;
	for (auto entry = std::filesystem::directory_iterator(directory, error);
	     !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
		if (entry->is_directory(error))
			return true;
	return false;
}

// Does somebody else rely on a controller? So it is when a cgroup beside ours says anything but the default.
bool is_used_by_others(const std::filesystem::path& mount, std::string_view controller)
{
	std::error_code error;
	for (auto entry = std::filesystem::directory_iterator(mount, error);
	     !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
		const std::string name = entry->path().filename();
		const auto value = [&](const char* file) { return read_line(entry->path() / file).value_or(""); };
		if (!entry->is_directory(error) || name == kVnf || name == kTelemetry)
			continue;
		if (controller == "cpuset" ? !value("cpuset.cpus").empty() || !value("cpuset.mems").empty()
					   : value("cpu.weight") != "100" || value("cpu.idle") == "1" ||
						 !value("cpu.max").starts_with("max"))
			return true;
	}
	return false;
}

Feasibility judged_so_far(Scheduler& scheduler)
{
	if (!scheduler.budgets())
		return {};
	const std::vector<class_verdict> verdicts = scheduler.budgets()->verdicts();
	return verdicts.empty() ? Feasibility{}
				: Feasibility{verdicts.front().nr_windows, verdicts.front().nr_infeasible};
}

}  // namespace

// The packet function is one thread, so one CPU is all that it can use; the last, which interrupts visit least.
Status Sides::give_cpus(const Arm& arm, const CpuList& cpus)
{
	if (!arm.needs_cpuset_controller())
		return {};
	const std::filesystem::path controls = TRY(cgroup2_mount()) / "cgroup.subtree_control";
	const bool was_on = has_word(TRY(read_line(controls)), "cpuset");
	TRY(write_kernel_file(controls, "+cpuset"));
	if (!was_on)
		cpusets_ = controls;
	CpuList others;
	for (const int cpu : cpus.cpus())
		if (cpu != cpus.cpus().back())
			others.add(cpu);
	TRY(vnf_->write("cpuset.cpus", std::to_string(cpus.cpus().back())));
	return telemetry_->write("cpuset.cpus", others.text());
}

Result<Sides> Sides::create(const Arm& arm, const CpuList& cpus)
{
	const std::filesystem::path mount = TRY(cgroup2_mount());
	const std::filesystem::path controls = mount / "cgroup.subtree_control";
	put_back_controllers();
	Sides sides;
	const std::string before = TRY(read_line(controls));
	sides.was_on_ = has_word(before, "cpu");
	if (!sides.was_on_ || !has_cgroups(mount))
		sides.controls_ = controls;
	sides.vnf_.emplace(TRY(ScopedCgroup::create(kVnf, " " + before)));
	sides.telemetry_.emplace(TRY(ScopedCgroup::create(kTelemetry)));
	// Creating them switched the controller on where that is possible.
	if (!sides.controls_.empty() && !arm.needs_cpu_controller())
		(void)write_kernel_file(controls, "-cpu");
	TRY(sides.give_cpus(arm, cpus));
	return sides;
}

void Sides::put_back_controllers()
{
	const std::optional<std::string> before = note_left_behind(kVnf);
	const auto mount = cgroup2_mount();
	if (!before || !before->starts_with(' ') || !mount)
		return;
	const std::filesystem::path controls = *mount / "cgroup.subtree_control";
	const std::string now = read_line(controls).value_or("");
	for (const std::string_view controller : {"cpu", "cpuset"}) {
		const bool was_on = has_word(*before, controller);
		if (has_word(now, controller) == was_on || (!was_on && is_used_by_others(*mount, controller)))
			continue;
		(void)write_kernel_file(controls, fmt::format("{}{}", was_on ? '+' : '-', controller));
	}
}

Sides::Sides(Sides&& other) noexcept
    : controls_(std::move(other.controls_)),
      was_on_(other.was_on_),
      cpusets_(std::move(other.cpusets_)),
      vnf_(std::move(other.vnf_)),
      telemetry_(std::move(other.telemetry_))
{
	other.controls_.clear();
	other.cpusets_.clear();
	other.vnf_.reset();
	other.telemetry_.reset();
}

Sides::~Sides()
{
	telemetry_.reset();
	if (!controls_.empty())
		(void)write_kernel_file(controls_, was_on_ ? "+cpu" : "-cpu");
	if (!cpusets_.empty())
		(void)write_kernel_file(cpusets_, "-cpuset");
	vnf_.reset();  // last: it says how things were
}

Status refuse_impossible(const Arm& arm)
{
	std::error_code error;
	if (arm.kind == ArmKind::scheduler && !std::filesystem::exists("/sys/kernel/sched_ext", error))
		return fail(ExitCode::lacking,
			    "arm '{}': this kernel has no sched_ext (measure it with --lab, or leave it out of --arms)",
			    arm.name);
	if (!arm.needs_cpu_controller() && !arm.needs_cpuset_controller())
		return {};
	const std::string_view controller = arm.needs_cpu_controller() ? "cpu" : "cpuset";
	const std::filesystem::path mount = TRY(cgroup2_mount());
	if (!has_word(TRY(read_line(mount / "cgroup.controllers")), controller))
		return fail(ExitCode::lacking,
			    "arm '{}': {} has no {} controller (boot with systemd.unified_cgroup_hierarchy=1, measure "
			    "it with --lab, or leave it out of --arms)",
			    arm.name, mount.native(), controller);
	return {};
}

Status favour(const Arm& arm, pid_t packet_function, const Sides& sides)
{
	switch (arm.kind) {
	case ArmKind::eevdf:
	case ArmKind::cpuset:
	case ArmKind::scheduler:
		return {};
	case ArmKind::eevdf_slice:
		return ask_for_short_slice(packet_function);
	case ArmKind::eevdf_weight:
		return sides.vnf().write("cpu.weight", "200");
	case ArmKind::eevdf_idle:
		return sides.telemetry().write("cpu.idle", "1");
	case ArmKind::eevdf_nice:
		if (::setpriority(PRIO_PROCESS, static_cast<id_t>(packet_function), -20) != 0)
			return fail_errno(errno, ExitCode::lacking,
					  "arm 'eevdf-nice': cannot set nice -20 (run as root)");
		return {};
	case ArmKind::deadline:
		return reserve_time(packet_function);
	case ArmKind::fifo:
		const sched_param first{.sched_priority = 1};
		if (::sched_setscheduler(packet_function, SCHED_FIFO, &first) != 0)
			return fail_errno(errno, ExitCode::lacking, "arm 'fifo': cannot set SCHED_FIFO (run as root)");
		return {};
	}
	return {};
}

Result<SchedulerWatch> SchedulerWatch::begin(const Arm& arm, const ScopedCgroup& vnf)
{
	SchedulerWatch watch;
	if (const std::string other = read_sched_ext().ops; !other.empty())
		return fail(ExitCode::lacking,
			    "arm '{}': scheduler {} is loaded, so nothing else can be measured "
			    "(punctual unload, or stop its service)",
			    arm.name, other);
	if (arm.kind == ArmKind::scheduler) {
		SchedulerOptions options;
		options.cpus = arm.cpus;
		if (arm.budget)
			options.budgets.push_back({vnf.path().native(), *arm.budget});
		Result<Scheduler> scheduler = Scheduler::attach(arm.scheduler, options);
		if (!scheduler)
			return fail(scheduler.error().code, "arm '{}': {}", arm.name, scheduler.error().what);
		watch.scheduler_.emplace(std::move(*scheduler));
	}
	watch.state_ = read_sched_ext();
	return watch;
}

// The packet function's cgroup is the only one that the bench gives a budget.
void SchedulerWatch::begin_window()
{
	if (!scheduler_)
		return;
	feasibility_before_ = judged_so_far(*scheduler_);
	if (const std::vector<class_stats> classes = scheduler_->classes(); !classes.empty())
		waits_before_ = classes.front();
}

std::optional<class_stats> SchedulerWatch::waits() const
{
	if (!scheduler_)
		return std::nullopt;
	const std::vector<class_stats> classes = scheduler_->classes();
	if (classes.empty())
		return std::nullopt;
	return class_waits_between(waits_before_, classes.front());
}

Feasibility SchedulerWatch::feasibility()
{
	if (!scheduler_)
		return {};
	const Feasibility now = judged_so_far(*scheduler_);
	return {now.windows - feasibility_before_.windows,
		now.infeasible_windows - feasibility_before_.infeasible_windows};
}

Status SchedulerWatch::end()
{
	const SchedExtState state = read_sched_ext();
	if (scheduler_ && !scheduler_->is_enabled()) {
		const ExitReport report = scheduler_->detach();
		return fail(ExitCode::ejected, "{} was ejected: {}{}{}", scheduler_->name(), report.reason,
			    report.message.empty() ? "" : ": ", report.message);
	}
	if (!state.same_scheduler(state_))
		return fail(ExitCode::invalid,
			    "the scheduler changed during the run: '{}' (enable_seq {}) before, '{}' ({}) after",
			    state_.ops, state_.enable_seq, state.ops, state.enable_seq);
	if (scheduler_)
		scheduler_->detach();
	scheduler_.reset();
	return {};
}

}  // namespace punctual
