// SPDX-License-Identifier: GPL-2.0-only
// The checks of doctor that warn. What could not be found out is said and is no warning: without root much is hidden.
#include <linux/capability.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/doctor_checks.h"

namespace punctual {
namespace {

constexpr const char* kUnknown = "could not be found out here";
constexpr size_t kNamesMax = 3;  // of a list in one line

template <typename Range>
std::string first_of(const Range& names)
{
	const size_t shown = std::min(names.size(), kNamesMax);
	std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<long>(shown), ", "));
	if (names.size() > shown)
		text += fmt::format(" and {} more", names.size() - shown);
	return text;
}

Check good(const char* name, std::string finding)
{
	return Check::good(name, Purpose::native, std::move(finding));
}

Check warning(const char* name, std::string finding, std::string remedy)
{
	return Check::bad(name, Purpose::native, Level::warn, std::move(finding), std::move(remedy));
}

Check check_group_sched(const MachineFacts& facts)
{
	if (!facts.sched_ext_present || !facts.group_sched)
		return good("groups", kUnknown);
	if (!*facts.group_sched)
		return warning("groups", "CONFIG_EXT_GROUP_SCHED is not set: cpu.weight of cgroups does not count",
			       "boot a kernel that has it, as Debian's do");
	return good("groups", "the kernel tells schedulers the cpu.weight of cgroups");
}

Check check_preemption(const MachineSettings& settings)
{
	const std::string& mode = settings.preemption;
	if (mode == "none" || mode == "voluntary")
		return warning("preemption",
			       fmt::format("preempt={}: code of the kernel holds a CPU for longer than a budget", mode),
			       "boot with preempt=lazy or preempt=full");
	return good("preemption", mode.empty() ? kUnknown : mode);
}

Check check_ticks(const MachineSettings& settings)
{
	constexpr int kHzMin = 250;  // Debian's
	if (!settings.hz)
		return good("hz", kUnknown);
	std::string finding = fmt::format("{} ticks a second: turns of normal tasks end after {} ms or later",
					  *settings.hz, 1000 / *settings.hz);
	if (*settings.hz < kHzMin)
		return warning("hz", std::move(finding), fmt::format("boot a kernel with CONFIG_HZ={}", kHzMin));
	return good("hz", std::move(finding));
}

// sched_rt_runtime_us is no protection: from 6.12 on it throttles only with CONFIG_RT_GROUP_SCHED.
Check check_real_time(const MachineSettings& settings)
{
	const std::vector<std::string>& tasks = settings.real_time_processes;
	if (settings.ext_server == true)
		return good("real-time", "the kernel keeps a part of each CPU for sched_ext (ext_server)");
	if (tasks.empty())
		return good("real-time", "no real-time processes");
	return warning("real-time",
		       fmt::format("{}, and {}: if one never sleeps the scheduler is ejected", first_of(tasks),
				   settings.ext_server ? "the kernel has no ext_server"
						       : "whether the kernel has an ext_server is not readable"),
		       "a kernel from 7.0 on, or see that they sleep");
}

Check check_clock(const MachineSettings& settings)
{
	constexpr std::array<std::string_view, 4> kFast = {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page",
							   "arch_sys_counter"};
	const std::string& source = settings.clocksource;
	if (source.empty())
		return good("clock", kUnknown);
	if (std::ranges::find(kFast, source) == kFast.end())
		return warning("clock", fmt::format("{} takes a microsecond or more to read", source),
			       "find out why the kernel does not trust the TSC: dmesg | grep -i clocksource");
	return good("clock", source);
}

Check check_governor(const MachineSettings& settings)
{
	if (settings.governor.empty())
		return good("governor", "none: the frequency is not the kernel's");
	if (settings.governor != "performance")
		return warning("governor",
			       fmt::format("{}: a CPU that slept begins slowly, and figures differ from run to run",
					   settings.governor),
			       "cpupower frequency-set -g performance");
	return good("governor", settings.governor);
}

Check check_steal(const MachineSettings& settings)
{
	constexpr double kStealPercentMax = 1;
	if (!settings.steal_percent)
		return good("steal", kUnknown);
	std::string finding =
	    fmt::format("{:.1f} % of the CPU time since boot went to other guests", *settings.steal_percent);
	if (*settings.steal_percent > kStealPercentMax)
		return warning("steal", std::move(finding), "CPUs of its own for this guest; no budget holds without");
	return good("steal", std::move(finding));
}

Check check_counters(const MachineSettings& settings)
{
	return good("counters", settings.has_pmu ? "the CPU counts cycles, instructions and cache misses"
						 : "none for cycles and instructions; profile samples by time");
}

Check check_limits(const MachineFacts& facts)
{
	// Sampled CPUs, probes and sockets take a few descriptors for each CPU; bench locks its buffers.
	constexpr uint64_t kFilesBase = 256;
	constexpr uint64_t kFilesPerCpu = 8;
	constexpr uint64_t kLockedMin = 64ULL << 20;
	const MachineSettings& settings = facts.settings;
	const uint64_t files = kFilesBase + kFilesPerCpu * settings.online.size();
	if (settings.nofile_max && *settings.nofile_max < files)
		return warning("limits",
			       fmt::format("{} open files are fewer than the {} of this machine's CPUs",
					   *settings.nofile_max, files),
			       fmt::format("ulimit -n {}, or LimitNOFILE= of the service", files));
	const bool may_lock = facts.capabilities.value_or(0) >> CAP_IPC_LOCK & 1;
	if (!may_lock && settings.memlock_max_bytes && *settings.memlock_max_bytes < kLockedMin)
		return warning("limits",
			       fmt::format("only {} KiB may be locked, and bench locks its buffers",
					   *settings.memlock_max_bytes >> 10),
			       "run as root, or LimitMEMLOCK=infinity of the service");
	return good("limits", "open files and locked memory are enough");
}

Check check_rivals(const MachineSettings& settings)
{
	if (settings.rivals.empty())
		return good("rivals", "no other service that loads schedulers");
	return warning("rivals", fmt::format("{}: it would load a scheduler of its own", first_of(settings.rivals)),
		       "systemctl disable --now scx.service scx_loader.service");
}

// Interrupts of devices on the CPUs that were asked about, the busiest first.
Check check_interrupts(const MachineSettings& settings)
{
	if (settings.asked.empty())
		return good("interrupts", "not looked at: --cpus LIST names the CPUs that are to be punctual");
	if (settings.asked.size() >= settings.online.size())
		return good("interrupts", "all CPUs were named, so they have to be served somewhere among them");
	std::vector<std::pair<uint64_t, std::string>> found;
	for (const auto& [interrupt, cpus] : settings.interrupts) {
		const uint64_t count = interrupt.count_on(settings.asked);
		const bool comes_here =
		    std::ranges::any_of(cpus.cpus(), [&](int cpu) { return settings.asked.contains(cpu); });
		if (count && comes_here)
			found.emplace_back(count, interrupt.name);
	}
	if (found.empty())
		return good("interrupts", fmt::format("no device interrupts CPUs {}", settings.asked.text()));
	std::ranges::sort(found, std::greater{});
	std::vector<std::string> names;
	names.reserve(found.size());
	for (const auto& [count, name] : found)
		names.push_back(fmt::format("{} ({} times)", name, count));
	const std::string number = found.front().second.substr(0, found.front().second.find(' '));
	return warning("interrupts", fmt::format("CPUs {} also serve {}", settings.asked.text(), first_of(names)),
		       fmt::format("unless it is the packet function's own card: write other CPUs into "
				   "/proc/irq/{}/smp_affinity_list (and stop irqbalance)",
				   number));
}

}  // namespace

std::vector<Check> examine_settings(const MachineFacts& facts)
{
	const MachineSettings& settings = facts.settings;
	return {check_group_sched(facts),  check_preemption(settings), check_ticks(settings),
		check_real_time(settings), check_clock(settings),      check_governor(settings),
		check_steal(settings),     check_counters(settings),   check_limits(facts),
		check_rivals(settings),    check_interrupts(settings)};
}

}  // namespace punctual
