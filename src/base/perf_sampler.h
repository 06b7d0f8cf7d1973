// SPDX-License-Identifier: GPL-2.0-only
// Samples of what CPUs do, by the kernel's perf events: hardware cycles, or the clock of the CPU where there are no
// counters. Each sample in the kernel has its stack; of one in user space only that it was there is told.
//
// The events and their buffers live as long as the sampler. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/cpu_list.h"
#include "base/fd.h"
#include "base/result.h"

namespace punctual {

struct StackSample {
	uint64_t time_ns = 0;  // of the kernel's perf clock
	uint32_t pid = 0;
	uint32_t tid = 0;  // 0: the idle task
	uint32_t cpu = 0;
	uint64_t weight = 0;     // what the sample stands for: cycles, or ns of a CPU
	bool is_kernel = false;  // else in user space, or in a guest
	std::vector<uint64_t>
	    addresses;  // in the kernel, innermost first; behind the first: where each call returns to
};

enum class SampledEvent { cycles, cpu_clock };

class PerfSampler {
 public:
	// Opens an event on each CPU, all of the same kind, and starts them. Errors: no privilege, no perf events
	// (lacking); a frequency above what the kernel allows (usage); each with the remedy.
	static Result<PerfSampler> start(const CpuList& cpus, uint64_t frequency_hz);
	PerfSampler(PerfSampler&&) noexcept = default;
	PerfSampler& operator=(PerfSampler&&) noexcept = default;
	~PerfSampler() = default;

	SampledEvent event() const { return event_; }
	// Until a buffer is half full, `fd` is readable, or the time is over.
	void wait(int fd, int timeout_ms);
	void stop();  // no sample is taken any more; what was taken is still to be read
	// Hands over what was taken since the last call, CPU by CPU; each sample is the callee's for the call.
	void read(const std::function<void(const StackSample&)>& take);
	uint64_t nr_lost() const { return nr_lost_; }            // the buffer was full
	uint64_t nr_throttled() const { return nr_throttled_; }  // times the kernel took no samples for a while

	// One record of a buffer, header included; nothing when it is no whole sample.
	static std::optional<StackSample> decode(std::span<const std::byte> record);

 private:
	struct Unmap {
		void operator()(std::byte* memory) const;
	};
	struct CpuEvent {
		UniqueFd fd;
		std::unique_ptr<std::byte, Unmap> buffer;
	};
	PerfSampler() = default;
	Status open_cpu(int cpu, uint64_t frequency_hz);
	void read_buffer(std::byte* buffer, const std::function<void(const StackSample&)>& take);
	void take_record(std::span<const std::byte> record, const std::function<void(const StackSample&)>& take);

	SampledEvent event_ = SampledEvent::cycles;
	std::vector<CpuEvent> cpus_;
	std::vector<std::byte> record_;  // one that goes over the end of a buffer, put together
	uint64_t nr_lost_ = 0;
	uint64_t nr_throttled_ = 0;
};

}  // namespace punctual
