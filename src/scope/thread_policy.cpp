// SPDX-License-Identifier: GPL-2.0-only
#include "scope/thread_policy.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/file.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kFlagResetOnFork = 1;       // SCHED_FLAG_RESET_ON_FORK of sched_setattr
constexpr int kResetOnForkBit = 0x40000000;    // SCHED_RESET_ON_FORK as sched_getscheduler returns it
constexpr int kStartField = 22;                // of /proc/TID/stat
constexpr size_t kThreadsOfMachine = 4 << 20;  // PID_MAX_LIMIT: there cannot be more
constexpr size_t kProcFileMax = 64 << 10;

template <typename Number>
std::optional<Number> number_in(std::string_view text)
{
	Number number = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
	if (error != std::errc() || end == text.data())
		return std::nullopt;
	return number;
}

// The kernel reports its default slice as if it had been asked for. Ours is the default.
uint64_t default_slice_ns()
{
	SchedulingAttributes own;
	return get_attributes(0, &own) == 0 ? own.runtime_ns : 0;
}

// "Tgid:\t42" of /proc/TID/status.
pid_t status_number(std::string_view status, std::string_view key)
{
	const size_t at = status.find(key);
	if (at == std::string_view::npos)
		return 0;
	return number_in<pid_t>(status.substr(at + key.size())).value_or(0);
}

template <typename Visit>
void for_each_number(const fs::path& directory, Visit visit)
{
	std::error_code error;  // a process may end while we look
	for (auto entry = fs::directory_iterator(directory, error); !error && entry != fs::directory_iterator();
	     entry.increment(error))
		if (const auto number = number_in<pid_t>(entry->path().filename().native()))
			visit(*number);
}

}  // namespace

int get_attributes(pid_t tid, SchedulingAttributes* attributes)
{
	return ::syscall(SYS_sched_getattr, tid, attributes, sizeof(*attributes), 0) == 0 ? 0 : errno;
}

int set_attributes(pid_t tid, const SchedulingAttributes& attributes)
{
	return ::syscall(SYS_sched_setattr, tid, &attributes, 0) == 0 ? 0 : errno;
}

std::optional<int> policy_of(pid_t tid)
{
	const int policy = ::sched_getscheduler(tid);
	if (policy < 0)
		return std::nullopt;
	return policy & ~kResetOnForkBit;
}

Status set_policy(pid_t tid, int policy)
{
	SchedulingAttributes now;
	int error = get_attributes(tid, &now);
	if (error == 0) {
		SchedulingAttributes wanted;
		wanted.policy = static_cast<uint32_t>(policy);
		wanted.flags = now.flags & kFlagResetOnFork;
		wanted.nice = now.nice;
		wanted.runtime_ns = now.runtime_ns == default_slice_ns() ? 0 : now.runtime_ns;
		error = set_attributes(tid, wanted);
	}
	if (error != 0 && error != ESRCH)
		return fail_errno(error, error == EPERM ? ExitCode::lacking : ExitCode::failed,
				  fmt::format("cannot set policy {} for thread {}", policy, describe_thread(tid)));
	return {};
}

std::optional<uint64_t> start_ticks_of(pid_t tid)
{
	const Result<std::string> stat = read_file(fmt::format("/proc/{}/stat", tid), kProcFileMax);
	const size_t name_end = stat ? stat->rfind(')') : std::string::npos;  // the name may hold anything
	if (name_end == std::string::npos)
		return std::nullopt;
	std::string_view rest = std::string_view(*stat).substr(name_end + 1);
	for (int field = 3; field <= kStartField && !rest.empty(); field++) {
		rest.remove_prefix(1);  // the space before it
		if (field == kStartField)
			return number_in<uint64_t>(rest);
		rest.remove_prefix(std::min(rest.find(' '), rest.size()));
	}
	return std::nullopt;
}

std::optional<Family> family_of(pid_t tid)
{
	const Result<std::string> status = read_file(fmt::format("/proc/{}/status", tid), kProcFileMax);
	if (!status)
		return std::nullopt;
	return Family{status_number(*status, "\nTgid:\t"), status_number(*status, "\nPPid:\t")};
}

std::string describe_thread(pid_t tid)
{
	return fmt::format("{} ({})", tid, read_line(fmt::format("/proc/{}/comm", tid)).value_or("gone"));
}

std::vector<pid_t> ext_threads_of_machine()
{
	std::vector<pid_t> found;
	size_t seen = 0;
	for_each_number("/proc", [&](pid_t process) {
		for_each_number(fmt::format("/proc/{}/task", process), [&](pid_t tid) {
			if (++seen <= kThreadsOfMachine && policy_of(tid) == kSchedExt)
				found.push_back(tid);
		});
	});
	return found;
}

}  // namespace punctual
