// SPDX-License-Identifier: GPL-2.0-only
#include "base/perf_counters.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace punctual {
namespace {

struct EventCode {
	uint32_t type;
	uint64_t config;
};
constexpr std::array<EventCode, kCountedEvents> kCodes = {{
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
}};

UniqueFd open_event(EventCode code, int leader)
{
	perf_event_attr attr = {};
	attr.size = sizeof(attr);
	attr.type = code.type;
	attr.config = code.config;
	attr.disabled = leader < 0;  // a group starts as a whole, by its leader
	attr.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
	return UniqueFd(static_cast<int>(::syscall(SYS_perf_event_open, &attr, 0, -1, leader, PERF_FLAG_FD_CLOEXEC)));
}

std::unexpected<Error> open_error(int error)
{
	if (error == EACCES || error == EPERM)
		return fail(
		    ExitCode::lacking,
		    "counting is not permitted: run as root or with CAP_PERFMON; kernel.perf_event_paranoid is {}",
		    read_line("/proc/sys/kernel/perf_event_paranoid").value_or("unknown"));
	return fail_errno(error, ExitCode::lacking, "cannot count by perf events (CONFIG_PERF_EVENTS)");
}

// A machine without the event, in the words of different drivers; most virtual machines have none.
bool is_missing(int error)
{
	return error == ENOENT || error == ENODEV || error == EOPNOTSUPP || error == EINVAL || error == ENOSYS;
}

// `first`: the event of the group's first bit. The kernel gives the values of supported events only, in their order.
template <size_t N>
void add_group(const GroupReading<N>& from, const GroupReading<N>& to, size_t first, uint64_t supported,
	       EventCounts& counts)
{
	const uint64_t enabled_ns = to.enabled_ns - from.enabled_ns;
	const uint64_t running_ns = to.running_ns - from.running_ns;
	if (from.nr == 0 || to.nr != from.nr || (enabled_ns > 0 && running_ns == 0))
		return;
	size_t at = 0;
	for (size_t event = first; event < first + N && at < to.nr; event++) {
		if ((supported >> event & 1) == 0)
			continue;
		const uint64_t counted = to.values[at] - from.values[at];
		at++;
		counts.supported |= 1ULL << event;
		counts.values[event] = counted;
		if (running_ns >= enabled_ns)
			continue;
		counts.scaled |= 1ULL << event;
		counts.values[event] =
		    static_cast<uint64_t>(static_cast<unsigned __int128>(counted) * enabled_ns / running_ns);
	}
}

template <size_t N>
void read_group(int fd, GroupReading<N>& into)
{
	if (fd < 0 || ::read(fd, &into, sizeof(into)) <= 0)
		into.nr = 0;
}

}  // namespace

std::optional<uint64_t> EventCounts::of(CountedEvent event) const
{
	if (!has(event))
		return std::nullopt;
	return values[static_cast<size_t>(event)];
}

void EventCounts::add(const EventCounts& other)
{
	for (size_t event = 0; event < kCountedEvents; event++)
		values[event] += other.values[event];
	supported &= other.supported;
	scaled |= other.scaled;
}

EventCounts counts_between(const CounterRecord& record)
{
	EventCounts counts;
	add_group(record.at_start.software, record.at_end.software, 0, record.supported, counts);
	add_group(record.at_start.hardware, record.at_end.hardware, kSoftwareEvents, record.supported, counts);
	return counts;
}

Result<PerfCounters> PerfCounters::open()
{
	PerfCounters counters;
	for (size_t event = 0; event < kCountedEvents; event++) {
		const bool is_hardware = event >= kSoftwareEvents;
		const int leader = is_hardware ? counters.hardware_fd_ : counters.software_fd();
		UniqueFd fd = open_event(kCodes[event], leader);
		if (!fd && is_hardware && is_missing(errno))
			continue;
		if (!fd)
			return open_error(errno);
		if (is_hardware && leader < 0)
			counters.hardware_fd_ = fd.get();
		counters.fds_[event] = std::move(fd);
		counters.supported_ |= 1ULL << event;
	}
	// A member that joins a group that runs may not count before the next context switch.
	for (const int leader : {counters.software_fd(), counters.hardware_fd()})
		if (leader >= 0 && ::ioctl(leader, PERF_EVENT_IOC_ENABLE, 0) != 0)
			return fail_errno(errno, ExitCode::failed, "cannot start perf events");
	return counters;
}

PerfCounters::PerfCounters(PerfCounters&& other) noexcept = default;
PerfCounters::~PerfCounters() = default;

void PerfCounters::read(CounterSnapshot& into) const
{
	read_group(software_fd(), into.software);
	read_group(hardware_fd(), into.hardware);
}

void PerfCounters::keep_across_exec() const
{
	for (const UniqueFd& fd : fds_)
		if (fd)
			::fcntl(fd.get(), F_SETFD, 0);
}

}  // namespace punctual
