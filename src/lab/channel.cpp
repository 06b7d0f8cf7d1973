// SPDX-License-Identifier: GPL-2.0-only
#include "lab/channel.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <string>
#include <utility>

#include "base/file.h"

namespace punctual {

// First page of the memory. Positions count bytes since the start and never wrap.
struct Channel::Shared {
	uint64_t magic;
	uint64_t job_bytes;
	alignas(64) std::atomic<uint64_t> written;  // by the guest
	std::atomic<uint32_t> answers;              // by the guest
	alignas(64) std::atomic<uint64_t> taken;    // by the host
};

namespace {

constexpr uint64_t kMagic = 0x31626c6e75707074;
constexpr uint64_t kHeaderBytes = 4096;
constexpr uint64_t kRingAt = kHeaderBytes;
constexpr uint64_t kJobAt = kRingAt + Channel::kRingBytes;
constexpr uint32_t kPayloadBytesMax = 64 << 10;  // larger ones are cut: the reader needs whole frames

struct FrameHeader {
	FrameKind kind;
	uint32_t bytes;
};

}  // namespace

Channel::Shared& Channel::shared() const
{
	return *reinterpret_cast<Shared*>(memory_);
}

Channel::Channel(Channel&& other) noexcept : fd_(std::move(other.fd_)), memory_(std::exchange(other.memory_, nullptr))
{}

Channel::~Channel()
{
	if (memory_)
		::munmap(memory_, kBytes);
}

Result<Channel> Channel::map(UniqueFd memory)
{
	void* at = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
	if (at == MAP_FAILED)
		return fail_errno(errno, ExitCode::failed, "cannot map the memory shared with the lab");
	return Channel(std::move(memory), at);
}

Result<Channel> Channel::create()
{
	UniqueFd memory(::memfd_create("punctual-lab", MFD_CLOEXEC));
	if (!memory || ::ftruncate(memory.get(), kBytes) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot create the memory shared with the lab");
	return map(std::move(memory));
}

Result<Channel> Channel::open_in_guest()
{
	std::error_code error;
	for (const auto& device : std::filesystem::directory_iterator("/sys/bus/pci/devices", error)) {
		if (read_line(device.path() / "vendor").value_or("") != "0x1af4" ||
		    read_line(device.path() / "device").value_or("") != "0x1110")
			continue;
		TRY(write_kernel_file(device.path() / "enable", "1"));
		// Write-combined where it exists: plain memory to the emulator, and cached by KVM anyway.
		const std::filesystem::path combined = device.path() / "resource2_wc";
		const bool exists = std::filesystem::exists(combined, error);
		UniqueFd memory(::open((exists ? combined : device.path() / "resource2").c_str(), O_RDWR | O_CLOEXEC));
		if (!memory)
			return fail_errno(errno, ExitCode::failed, "cannot open the memory shared with the host");
		return map(std::move(memory));
	}
	return fail(ExitCode::lacking, "this is not a lab guest: no memory shared with a host");
}

Status Channel::put_job(std::string_view job)
{
	if (job.size() > kJobBytesMax)
		return fail(ExitCode::usage, "the lab takes at most {} MiB of included files, not {} MiB",
			    kJobBytesMax >> 20, job.size() >> 20);
	std::memcpy(memory_ + kJobAt, job.data(), job.size());
	shared().job_bytes = job.size();
	shared().magic = kMagic;
	return {};
}

bool Channel::has_job() const
{
	return static_cast<volatile const Shared&>(shared()).magic == kMagic;  // the host may write it any time
}

Result<std::string_view> Channel::job() const
{
	if (!has_job() || shared().job_bytes > kJobBytesMax)
		return fail(ExitCode::failed, "no job from the host");
	return std::string_view(memory_ + kJobAt, shared().job_bytes);
}

void Channel::copy_in(uint64_t position, std::string_view bytes)
{
	const uint64_t at = position % kRingBytes;
	const uint64_t first = std::min<uint64_t>(bytes.size(), kRingBytes - at);
	std::memcpy(memory_ + kRingAt + at, bytes.data(), first);
	std::memcpy(memory_ + kRingAt, bytes.data() + first, bytes.size() - first);
}

void Channel::copy_out(uint64_t position, char* into, uint64_t bytes) const
{
	const uint64_t at = position % kRingBytes;
	const uint64_t first = std::min(bytes, kRingBytes - at);
	std::memcpy(into, memory_ + kRingAt + at, first);
	std::memcpy(into + first, memory_ + kRingAt, bytes - first);
}

void Channel::send(FrameKind kind, std::string_view payload)
{
	do {
		const std::string_view piece = payload.substr(0, kPayloadBytesMax);
		payload.remove_prefix(piece.size());
		const FrameHeader header{kind, static_cast<uint32_t>(piece.size())};
		const uint64_t need = sizeof(header) + piece.size();
		const uint64_t start = shared().written.load(std::memory_order_relaxed);
		// Only a host that falls 16 MiB behind makes us wait; its speed then shows in virtual time.
		while (start + need - shared().taken.load(std::memory_order_acquire) > kRingBytes) {
			constexpr timespec kPause{0, 1'000'000};
			::nanosleep(&kPause, nullptr);
		}
		copy_in(start, {reinterpret_cast<const char*>(&header), sizeof(header)});
		copy_in(start + sizeof(header), piece);
		shared().written.store(start + need, std::memory_order_release);
	} while (!payload.empty());
}

Status Channel::receive(const std::function<void(FrameKind, std::string_view)>& take)
{
	std::string payload;
	for (;;) {
		const uint64_t taken = shared().taken.load(std::memory_order_relaxed);
		const uint64_t available = shared().written.load(std::memory_order_acquire) - taken;
		FrameHeader header;
		if (available == 0)
			return {};
		if (available > kRingBytes || available < sizeof(header))
			return fail(ExitCode::failed, "the guest wrote over the memory shared with the host");
		copy_out(taken, reinterpret_cast<char*>(&header), sizeof(header));
		if (header.bytes > kPayloadBytesMax || header.bytes > available - sizeof(header))
			return fail(ExitCode::failed, "the guest wrote over the memory shared with the host");
		payload.resize(header.bytes);
		copy_out(taken + sizeof(header), payload.data(), header.bytes);
		shared().taken.store(taken + sizeof(header) + header.bytes, std::memory_order_release);
		take(header.kind, payload);
	}
}

void Channel::answer()
{
	shared().answers.fetch_add(1, std::memory_order_release);
}

uint32_t Channel::answers() const
{
	return shared().answers.load(std::memory_order_acquire);
}

}  // namespace punctual
