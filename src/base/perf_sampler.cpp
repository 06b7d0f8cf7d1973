// SPDX-License-Identifier: GPL-2.0-only
#include "base/perf_sampler.h"

#include <linux/perf_event.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>

#include "base/file.h"

namespace punctual {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr size_t kDataBytes = 64 * kPageBytes;  // a power of two, as the kernel wants it
constexpr size_t kMappedBytes = kDataBytes + kPageBytes;
constexpr uint64_t kAddressesMax = 1024;  // of a stack; the kernel's own limit is 127 unless somebody raised it
constexpr const char* kRateMax = "/proc/sys/kernel/perf_event_max_sample_rate";

perf_event_attr attributes(SampledEvent event, uint64_t frequency_hz)
{
	perf_event_attr attr = {};
	attr.size = sizeof(attr);
	attr.type = event == SampledEvent::cycles ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE;
	attr.config = event == SampledEvent::cycles ? static_cast<uint64_t>(PERF_COUNT_HW_CPU_CYCLES)
						    : static_cast<uint64_t>(PERF_COUNT_SW_CPU_CLOCK);
	attr.freq = 1;
	attr.sample_freq = frequency_hz;
	attr.sample_type =
	    PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN;
	attr.exclude_callchain_user = 1;
	attr.disabled = 1;
	attr.watermark = 1;
	attr.wakeup_watermark = kDataBytes / 2;
	return attr;
}

UniqueFd open_event(SampledEvent event, int cpu, uint64_t frequency_hz)
{
	perf_event_attr attr = attributes(event, frequency_hz);
	return UniqueFd(static_cast<int>(::syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
}

std::unexpected<Error> open_error(int error, int cpu)
{
	if (error == EACCES || error == EPERM)
		return fail(ExitCode::lacking,
			    "sampling the kernel is not permitted: run as root (sudo punctual profile) or with "
			    "CAP_PERFMON; kernel.perf_event_paranoid is {}",
			    read_line("/proc/sys/kernel/perf_event_paranoid").value_or("unknown"));
	if (error == EMFILE)
		return fail(ExitCode::lacking, "too many open files: a file for each CPU is needed (ulimit -n)");
	return fail_errno(error, ExitCode::lacking,
			  fmt::format("cannot sample CPU {} by perf events (CONFIG_PERF_EVENTS)", cpu));
}

Status check_frequency(uint64_t frequency_hz)
{
	const auto text = read_line(kRateMax);
	uint64_t rate_max = 0;
	if (text && std::from_chars(text->data(), text->data() + text->size(), rate_max).ec == std::errc() &&
	    frequency_hz > rate_max)
		return fail(ExitCode::usage,
			    "-f {}: the kernel takes at most {} samples a second (sysctl "
			    "kernel.perf_event_max_sample_rate)",
			    frequency_hz, rate_max);
	return {};
}

template <typename T>
T take(std::span<const std::byte>* bytes)
{
	T value = {};
	std::memcpy(&value, bytes->data(), sizeof(value));
	*bytes = bytes->subspan(sizeof(value));
	return value;
}

}  // namespace

void PerfSampler::Unmap::operator()(std::byte* memory) const
{
	::munmap(memory, kMappedBytes);
}

Status PerfSampler::open_cpu(int cpu, uint64_t frequency_hz)
{
	UniqueFd fd = open_event(event_, cpu, frequency_hz);
	if (!fd && cpus_.empty() && event_ == SampledEvent::cycles &&
	    (errno == ENOENT || errno == ENODEV || errno == EOPNOTSUPP || errno == EINVAL)) {
		event_ = SampledEvent::cpu_clock;  // no counters, as in most virtual machines
		fd = open_event(event_, cpu, frequency_hz);
	}
	if (!fd)
		return open_error(errno, cpu);
	void* memory = ::mmap(nullptr, kMappedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
	if (memory == MAP_FAILED)
		return fail_errno(errno, ExitCode::lacking, "cannot map the buffer of a perf event");
	cpus_.push_back({std::move(fd), std::unique_ptr<std::byte, Unmap>(static_cast<std::byte*>(memory))});
	return {};
}

Result<PerfSampler> PerfSampler::start(const CpuList& cpus, uint64_t frequency_hz)
{
	TRY(check_frequency(frequency_hz));
	PerfSampler sampler;
	for (const int cpu : cpus.cpus())
		TRY(sampler.open_cpu(cpu, frequency_hz));
	for (const CpuEvent& cpu : sampler.cpus_)
		if (::ioctl(cpu.fd.get(), PERF_EVENT_IOC_ENABLE, 0) != 0)
			return fail_errno(errno, ExitCode::failed, "cannot start a perf event");
	return sampler;
}

void PerfSampler::wait(int fd, int timeout_ms)
{
	std::vector<pollfd> fds{{fd, POLLIN, 0}};
	fds.reserve(cpus_.size() + 1);
	for (const CpuEvent& cpu : cpus_)
		fds.push_back({cpu.fd.get(), POLLIN, 0});
	::poll(fds.data(), fds.size(), timeout_ms);
	for (size_t i = 1; i < fds.size(); i++)
		if ((fds[i].revents & (POLLHUP | POLLERR)) != 0)  // its CPU is gone: it would end every wait at once
			cpus_[i - 1].fd.reset();
}

void PerfSampler::stop()
{
	for (const CpuEvent& cpu : cpus_)
		if (cpu.fd)
			::ioctl(cpu.fd.get(), PERF_EVENT_IOC_DISABLE, 0);
}

void PerfSampler::read(const std::function<void(const StackSample&)>& take)
{
	for (const CpuEvent& cpu : cpus_)
		read_buffer(cpu.buffer.get(), take);
}

void PerfSampler::read_buffer(std::byte* buffer, const std::function<void(const StackSample&)>& take)
{
	auto* page = reinterpret_cast<perf_event_mmap_page*>(buffer);
	const std::byte* data = buffer + kPageBytes;
	const uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = page->data_tail;
	while (tail < head) {
		// Records begin at multiples of eight, so a header never goes over the end.
		perf_event_header header = {};
		std::memcpy(&header, data + tail % kDataBytes, sizeof(header));
		if (header.size < sizeof(header) || header.size > head - tail)
			break;
		const size_t first = std::min<size_t>(header.size, kDataBytes - tail % kDataBytes);
		record_.resize(header.size);
		std::memcpy(record_.data(), data + tail % kDataBytes, first);
		std::memcpy(record_.data() + first, data, header.size - first);
		take_record(record_, take);
		tail += header.size;
	}
	__atomic_store_n(&page->data_tail, head, __ATOMIC_RELEASE);
}

void PerfSampler::take_record(std::span<const std::byte> record, const std::function<void(const StackSample&)>& take)
{
	perf_event_header header = {};
	std::memcpy(&header, record.data(), sizeof(header));
	if (header.type == PERF_RECORD_THROTTLE)
		nr_throttled_++;
	if (header.type == PERF_RECORD_LOST && record.size() >= sizeof(header) + 2 * sizeof(uint64_t)) {
		uint64_t nr = 0;
		std::memcpy(&nr, record.data() + sizeof(header) + sizeof(uint64_t), sizeof(nr));
		nr_lost_ += nr;
	}
	if (const auto sample = decode(record))
		take(*sample);
}

std::optional<StackSample> PerfSampler::decode(std::span<const std::byte> record)
{
	constexpr size_t kFixedBytes = sizeof(perf_event_header) + 5 * sizeof(uint64_t);
	if (record.size() < kFixedBytes)
		return std::nullopt;
	const auto header = take<perf_event_header>(&record);
	if (header.type != PERF_RECORD_SAMPLE)
		return std::nullopt;
	StackSample sample;
	sample.pid = take<uint32_t>(&record);
	sample.tid = take<uint32_t>(&record);
	sample.time_ns = take<uint64_t>(&record);
	sample.cpu = take<uint32_t>(&record);
	take<uint32_t>(&record);
	sample.weight = take<uint64_t>(&record);
	sample.is_kernel = (header.misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL;
	const auto nr = take<uint64_t>(&record);
	if (nr > kAddressesMax || nr * sizeof(uint64_t) > record.size())
		return std::nullopt;
	sample.addresses.reserve(nr);
	for (uint64_t i = 0; i < nr; i++)
		if (const auto address = take<uint64_t>(&record); address < PERF_CONTEXT_MAX)  // else a mark
			sample.addresses.push_back(address);
	return sample;
}

}  // namespace punctual
