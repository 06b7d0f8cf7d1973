// SPDX-License-Identifier: GPL-2.0-only
#include "guard/exit_class.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace punctual {
namespace {

// enum scx_exit_kind, and the kernel's words for each. The same from 6.12 to 7.3.
constexpr int64_t kUnregistered = 64, kSysrq = 67, kErrorFirst = 1024, kStall = 1026;
constexpr int64_t kRestartBit = 48;  // of the code
constexpr std::array<std::pair<std::string_view, int64_t>, 6> kReasons = {{
    {"unregistered from user space", kUnregistered},
    {"unregistered from BPF", 65},
    {"unregistered from the main kernel", 66},
    {"disabled by sysrq-S", kSysrq},
    {"runtime error", kErrorFirst},
    {"runnable task stall", kStall},
}};
constexpr std::string_view kStallWords = " failed to run for ";

int64_t kind_of(const SchedulerExit& exit)
{
	if (exit.kind != 0)
		return exit.kind;
	const auto* known =
	    std::ranges::find(kReasons, std::string_view(exit.reason), &decltype(kReasons)::value_type::first);
	return known == kReasons.end() ? 0 : known->second;
}

struct NamedTask {
	std::string name;
	int64_t pid = 0;
};

// "name[143]", where the name may hold anything, also brackets.
std::optional<NamedTask> named_task(std::string_view text)
{
	const size_t open = text.rfind('[');
	if (open == std::string_view::npos || open == 0 || !text.ends_with(']'))
		return std::nullopt;
	NamedTask task{std::string(text.substr(0, open)), 0};
	const std::string_view number = text.substr(open + 1, text.size() - open - 2);
	const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), task.pid);
	if (error != std::errc() || end != number.data() + number.size())
		return std::nullopt;
	return task;
}

std::string_view class_words(std::string_view line)
{
	if (line.find("class=rt_sched_class") != std::string_view::npos)
		return "a real-time task";
	if (line.find("class=dl_sched_class") != std::string_view::npos)
		return "a deadline task";
	if (line.find("class=stop_sched_class") != std::string_view::npos)
		return "the kernel's stopper";
	return "";
}

// In the kernel's dump a CPU begins with "CPU 3   : nr_run=...", says "curr=hog[120] class=rt_sched_class", and lists
// the tasks that want it, each " R s[143] -5052ms" or the like. "" when nobody of a higher class had that CPU.
std::string holder_of_cpu(std::string_view dump, const NamedTask& waits)
{
	const std::string who = fmt::format(" {}[{}] ", waits.name, waits.pid);
	std::string holder;
	std::string_view cpu;
	while (!dump.empty()) {
		const size_t end = std::min(dump.find('\n'), dump.size());
		const std::string_view line = dump.substr(0, end);
		dump.remove_prefix(std::min(end + 1, dump.size()));
		const size_t colon = line.find(':');
		if (line.starts_with("CPU ") && colon != std::string_view::npos) {
			cpu = line.substr(4, line.find_first_not_of("0123456789", 4) - 4);
			holder.clear();
		} else if (const size_t at = line.find("curr="); at != std::string_view::npos) {
			const std::string_view words = class_words(line);
			const std::string_view name = line.substr(at + 5, line.rfind(" class=") - at - 5);
			if (auto task = named_task(name); task && !words.empty() && !cpu.empty())
				holder = fmt::format("CPU {} was held by {} (pid {}), {}", cpu, task->name, task->pid,
						     words);
		} else if (!holder.empty() && line.find(who) != std::string_view::npos) {
			return holder;
		}
	}
	return "";
}

}  // namespace

std::string_view exit_class_name(ExitClass exit_class)
{
	constexpr std::array<std::string_view, 8> kNames = {"asked_for", "hotplug", "error",   "stall",
							    "sysrq",     "kernel",  "refused", "slo"};
	return kNames[std::to_underlying(exit_class)];
}

bool is_fault(ExitClass exit_class)
{
	return exit_class != ExitClass::asked_for && exit_class != ExitClass::hotplug && exit_class != ExitClass::sysrq;
}

ExitClass classify_exit(const SchedulerExit& exit)
{
	const int64_t kind = kind_of(exit);
	if (kind == kStall)
		return ExitClass::stall;
	if (kind >= kErrorFirst)
		return ExitClass::error;
	if ((exit.code >> kRestartBit) & 1)
		return ExitClass::hotplug;
	if (kind == kSysrq)
		return ExitClass::sysrq;
	return kind == kUnregistered ? ExitClass::asked_for : ExitClass::kernel;
}

std::string exit_cause(const SchedulerExit& exit)
{
	const std::string_view message = exit.message;
	const size_t stall = message.rfind(kStallWords);
	if (classify_exit(exit) == ExitClass::stall && stall != std::string_view::npos && message.ends_with('s'))
		if (auto task = named_task(message.substr(0, stall))) {
			std::string_view time = message.substr(stall + kStallWords.size());
			time.remove_suffix(1);
			const std::string holder = holder_of_cpu(exit.dump, *task);
			return fmt::format("a task waited {} s for a CPU: {} (pid {}){}{}", time, task->name, task->pid,
					   holder.empty() ? "" : "; ", holder);
		}
	const std::string reason = exit.reason.empty() ? "the kernel gave no reason" : exit.reason;
	return message.empty() ? reason : fmt::format("{}: {}", reason, message);
}

}  // namespace punctual
