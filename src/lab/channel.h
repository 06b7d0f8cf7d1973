// SPDX-License-Identifier: GPL-2.0-only
// The memory that host and guest share (QEMU's ivshmem device): a job goes in, a stream of frames comes out.
// Chosen over serial ports because a byte costs nothing but its copy: no interrupts, no kernel driver and no
// exits while something is being measured, and megabytes of results cross in milliseconds.
// One writer of frames (the guest's first process), one reader (the host); no locks.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace punctual {

enum class FrameKind : uint32_t {
	booted = 1,  // the first process runs
	waiting,     // settled; looks for a job at fixed times from here on
	started,     // the command is about to be started
	out,         // bytes of the command's stdout
	err,         // bytes of its stderr
	files,       // a piece of the archive of /out
	ended,       // decimal exit status; the last frame
	broken,      // the guest could not do its job; the payload says why; the last frame
};

class Channel {
 public:
	static constexpr uint64_t kBytes = 64UL << 20;  // a power of two, as PCI wants it; only used pages take memory
	static constexpr uint64_t kRingBytes = 16UL << 20;
	static constexpr uint64_t kJobBytesMax = kBytes - kRingBytes - 4096;

	static Result<Channel> create();              // host: memory without a name
	static Result<Channel> open_in_guest();       // guest: the PCI device's memory
	static Result<Channel> map(UniqueFd memory);  // either side, for tests
	Channel(Channel&& other) noexcept;
	Channel& operator=(Channel&&) = delete;
	Channel(const Channel&) = delete;
	Channel& operator=(const Channel&) = delete;
	~Channel();

	int fd() const { return fd_.get(); }

	// The job is written before the guest starts, or goes on, and never changes.
	Status put_job(std::string_view job);
	bool has_job() const;
	Result<std::string_view> job() const;

	// Guest: waits while the ring is full, so nothing is ever lost.
	void send(FrameKind kind, std::string_view payload);
	// Host: hands over every whole frame that has arrived. Error when the guest broke the form.
	Status receive(const std::function<void(FrameKind, std::string_view)>& take);

	// Sign of life, counted: the host asks (by the console), the guest adds one.
	void answer();
	uint32_t answers() const;

 private:
	struct Shared;
	Channel(UniqueFd fd, void* memory) : fd_(std::move(fd)), memory_(static_cast<char*>(memory)) {}
	Shared& shared() const;
	void copy_in(uint64_t position, std::string_view bytes);
	void copy_out(uint64_t position, char* into, uint64_t bytes) const;

	UniqueFd fd_;
	char* memory_ = nullptr;
};

}  // namespace punctual
