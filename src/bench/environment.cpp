// SPDX-License-Identifier: GPL-2.0-only
#include "bench/environment.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <string_view>

#include "base/cgroup.h"
#include "base/cpu_info.h"
#include "base/file.h"

namespace punctual {
namespace {

// The kernel's tick is the resolution of the coarse clocks: no configuration file needed.
std::string tick_rate()
{
	timespec tick{};
	if (::clock_getres(CLOCK_MONOTONIC_COARSE, &tick) != 0 || tick.tv_nsec == 0)
		return "unknown";
	return std::to_string((1'000'000'000 + tick.tv_nsec / 2) / tick.tv_nsec);
}

bool has_flag(std::string_view cpuinfo, std::string_view flag)
{
	const std::string flags = " " + cpu_info_field(cpuinfo, "flags") + " ";
	return flags.find(fmt::format(" {} ", flag)) != std::string::npos;
}

void add_file(Environment& environment, std::string name, const std::filesystem::path& path)
{
	if (const Result<std::string> value = read_line(path); value && !value->empty())
		environment.emplace_back(std::move(name), *value);
}

void add_machine(Environment& environment)
{
	utsname system{};
	::uname(&system);
	environment.emplace_back("kernel", fmt::format("{} {}", system.release, system.version));
	add_file(environment, "kernel_command_line", "/proc/cmdline");
	const std::string cpuinfo = read_file("/proc/cpuinfo").value_or("");
	environment.emplace_back("cpu", cpu_info_field(cpuinfo, "model name"));
	environment.emplace_back("virtual_machine", has_flag(cpuinfo, "hypervisor") ? "yes" : "no");
	if (const Result<CpuList> online = CpuList::online())
		environment.emplace_back("cpus_online", online->text());
	environment.emplace_back("hz", tick_rate());
	add_file(environment, "clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	add_file(environment, "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	add_file(environment, "isolated_cpus", "/sys/devices/system/cpu/isolated");
	add_file(environment, "smt", "/sys/devices/system/cpu/smt/active");
}

void add_kernel_scheduler(Environment& environment)
{
	environment.emplace_back("sched_ext", read_line("/sys/kernel/sched_ext/state").value_or("not in this kernel"));
	add_file(environment, "preempt", "/sys/kernel/debug/sched/preempt");
	add_file(environment, "base_slice_ns", "/sys/kernel/debug/sched/base_slice_ns");
	add_file(environment, "sched_features", "/sys/kernel/debug/sched/features");
	add_file(environment, "sched_rt_runtime_us", "/proc/sys/kernel/sched_rt_runtime_us");
	add_file(environment, "sched_autogroup", "/proc/sys/kernel/sched_autogroup_enabled");
	if (const Result<std::filesystem::path> mount = cgroup2_mount())
		add_file(environment, "cgroup_controllers", *mount / "cgroup.controllers");
}

void add_run(Environment& environment, const BenchOptions& options, WorkLength work)
{
	environment.emplace_back("cpus", options.cpus.text());
	environment.emplace_back("packets_per_s", std::to_string(options.rate_per_s));
	environment.emplace_back("arrivals", arrivals_text(options.arrivals));
	environment.emplace_back("seed", std::to_string(options.seed));
	if (options.plane != PacketPlane::ring)
		environment.emplace_back("packets", std::string(plane_name(options.plane)));
	environment.emplace_back("ring_packets", std::to_string(options.ring_packets));
	if (options.rx_usecs != 0)
		environment.emplace_back("rx_usecs", std::to_string(options.rx_usecs));
	environment.emplace_back("work", format_duration(options.work));
	environment.emplace_back("work_measured_ns", std::to_string(work.measured_ns));
	environment.emplace_back("work_iterations", std::to_string(work.iterations));
	environment.emplace_back("warmup", format_duration(options.warmup));
	environment.emplace_back("duration", format_duration(options.duration));
	environment.emplace_back("settle", format_duration(options.settle));
	environment.emplace_back("background", std::string(background_name(options.background)));
	environment.emplace_back("background_processes", std::to_string(options.background_processes));
}

}  // namespace

Environment read_environment(const BenchOptions& options, WorkLength work)
{
	Environment environment;
	add_machine(environment);
	add_kernel_scheduler(environment);
	add_run(environment, options, work);
	return environment;
}

}  // namespace punctual
