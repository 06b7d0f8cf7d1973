// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/file.h"
#include "base/kernel_choice.h"
#include "cli/doctor_facts.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

// The kernel's own word, else the command line's, else the default that it was built with.
std::string preemption(const fs::path& root, const std::string& config)
{
	constexpr std::string_view kKey = " preempt=";
	if (is_set(config, "CONFIG_PREEMPT_RT"))
		return "rt";
	std::string marked = marked_choice(read_line(root / "sys/kernel/debug/sched/preempt").value_or(""));
	if (!marked.empty())
		return marked;
	const std::string command_line = " " + read_line(root / "proc/cmdline").value_or("") + " ";
	if (const size_t at = command_line.find(kKey); at != std::string::npos) {
		const size_t begin = at + kKey.size();
		return command_line.substr(begin, command_line.find(' ', begin) - begin);
	}
	for (const auto& [option, word] : {std::pair{"CONFIG_PREEMPT_LAZY", "lazy"},
					   {"CONFIG_PREEMPT_VOLUNTARY", "voluntary"},
					   {"CONFIG_PREEMPT_NONE", "none"},
					   {"CONFIG_PREEMPT", "full"}})
		if (is_set(config, option))
			return word;
	return "";
}

std::optional<int> ticks_per_second(const std::string& config)
{
	constexpr std::string_view kKey = "\nCONFIG_HZ=";
	const size_t at = config.find(kKey);
	int hz = 0;
	if (at == std::string::npos)
		return std::nullopt;
	std::from_chars(config.data() + at + kKey.size(), config.data() + config.size(), hz);
	return hz > 0 ? std::optional(hz) : std::nullopt;
}

// Only where debugfs is mounted and may be read.
std::optional<bool> has_ext_server(const fs::path& root)
{
	std::error_code error;
	const fs::path sched = root / "sys/kernel/debug/sched";
	if (!fs::exists(sched, error) || error)
		return std::nullopt;
	return fs::exists(sched / "ext_server", error);
}

// The first line of /proc/stat: "cpu", then user, nice, system, idle, iowait, irq, softirq, steal since boot.
std::optional<double> steal_percent(const fs::path& root)
{
	constexpr int kFields = 8;
	const std::string text = read_file(root / "proc/stat").value_or("");
	const char* at = text.data() + std::min(text.find(' '), text.size());
	const char* end = text.data() + text.size();
	double sum = 0;
	uint64_t value = 0;
	for (int field = 0; field < kFields; field++) {
		while (at != end && *at == ' ')
			at++;
		const auto [next, error] = std::from_chars(at, end, value);
		if (error != std::errc{})
			return std::nullopt;
		sum += static_cast<double>(value);
		at = next;
	}
	return sum > 0 ? std::optional(100 * static_cast<double>(value) / sum) : std::nullopt;
}

std::string governor(const fs::path& root, const CpuList& cpus)
{
	for (const int cpu : cpus.cpus())
		if (Result<std::string> text =
			read_line(root / fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor", cpu)))
			return *text;
	return "";
}

// Services of the sched_ext tools that would load a scheduler too. Units that are only installed do nothing.
std::vector<std::string> rivals(const fs::path& root)
{
	std::vector<std::string> found;
	std::error_code error;
	for (const char* unit : {"scx.service", "scx_loader.service"})
		for (const char* target : {"multi-user.target.wants", "graphical.target.wants"})
			if (fs::is_symlink(root / "etc/systemd/system" / target / unit, error))
				found.push_back(fmt::format("{} is enabled", unit));
	for (const auto& entry : fs::directory_iterator(root / "proc", error))
		if (read_line(entry.path() / "comm").value_or("") == "scx_loader")
			found.push_back(
			    fmt::format("scx_loader is running (process {})", entry.path().filename().native()));
	return found;
}

// Fields 9 (flags) and 41 (policy) of /proc/PID/stat (proc(5)), counted behind the name, which may have spaces.
bool is_real_time_process(std::string_view stat)
{
	constexpr uint64_t kKernelThread = 0x00200000;  // PF_KTHREAD
	std::string_view rest = stat.substr(std::min(stat.rfind(')'), stat.size()));
	uint64_t flags = kKernelThread;
	uint64_t policy = SCHED_OTHER;
	for (int field = 2; !rest.empty() && field <= 41; field++) {
		const std::string_view word = rest.substr(0, rest.find(' '));
		if (field == 9)
			std::from_chars(word.data(), word.data() + word.size(), flags);
		if (field == 41)
			std::from_chars(word.data(), word.data() + word.size(), policy);
		rest.remove_prefix(std::min(word.size() + 1, rest.size()));
	}
	return !(flags & kKernelThread) && (policy == SCHED_FIFO || policy == SCHED_RR);
}

std::vector<std::string> real_time_processes(const fs::path& root)
{
	std::vector<std::string> found;
	std::error_code error;
	for (const auto& entry : fs::directory_iterator(root / "proc", error))
		if (is_real_time_process(read_line(entry.path() / "stat").value_or("")))
			found.push_back(fmt::format("{} ({})", read_line(entry.path() / "comm").value_or("?"),
						    entry.path().filename().native()));
	std::ranges::sort(found);
	return found;
}

std::vector<RoutedInterrupt> routed_interrupts(const fs::path& root)
{
	std::vector<RoutedInterrupt> routed;
	for (Interrupt& interrupt : parse_interrupts(read_file(root / "proc/interrupts").value_or(""))) {
		const fs::path folder = root / "proc/irq" / interrupt.name.substr(0, interrupt.name.find(' '));
		Result<std::string> text = read_line(folder / "effective_affinity_list");
		if (!text || text->empty())
			text = read_line(folder / "smp_affinity_list");
		Result<CpuList> cpus = text ? CpuList::parse(*text) : std::unexpected(text.error());
		if (cpus)
			routed.push_back({std::move(interrupt), *cpus});
	}
	return routed;
}

std::optional<uint64_t> soft_limit(decltype(RLIMIT_NOFILE) resource)
{
	rlimit limit{};
	if (::getrlimit(resource, &limit) != 0)
		return std::nullopt;
	return limit.rlim_cur;
}

}  // namespace

bool is_set(const std::string& config, std::string_view option)
{
	return config.find(fmt::format("\n{}=y\n", option)) != std::string::npos;
}

MachineSettings look_at_settings(const fs::path& root, const std::string& config)
{
	MachineSettings settings;
	std::error_code error;
	settings.ext_server = has_ext_server(root);
	settings.real_time_processes = real_time_processes(root);
	settings.hz = ticks_per_second(config);
	settings.preemption = preemption(root, config);
	settings.clocksource =
	    read_line(root / "sys/devices/system/clocksource/clocksource0/current_clocksource").value_or("");
	if (Result<CpuList> online = CpuList::parse(read_line(root / "sys/devices/system/cpu/online").value_or("")))
		settings.online = *online;
	settings.governor = governor(root, settings.online);
	settings.steal_percent = steal_percent(root);
	settings.has_pmu = fs::exists(root / "sys/bus/event_source/devices/cpu", error);
	settings.nofile_max = soft_limit(RLIMIT_NOFILE);
	settings.memlock_max_bytes = soft_limit(RLIMIT_MEMLOCK);
	settings.rivals = rivals(root);
	settings.interrupts = routed_interrupts(root);
	return settings;
}

}  // namespace punctual
