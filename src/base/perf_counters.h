// SPDX-License-Identifier: GPL-2.0-only
// What a thread uses, counted by the kernel's perf events: time on a CPU, switches, migrations and page faults, which
// every kernel counts, and cycles, instructions and cache misses, where the machine has counters for them.
//
// The thread that is counted opens the events and reads them itself, at the moments that it chose: two system calls,
// and nobody else has to run then. Events are on from opening to closing; what counts is the difference of two
// readings. Open events cost at each context switch of the thread. Threads and processes that it starts are not
// counted.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/fd.h"
#include "base/result.h"

namespace punctual {

enum class CountedEvent : uint8_t {  // the order of values, below and in what the kernel gives
	task_clock,                  // ns
	context_switches,
	migrations,
	page_faults,
	cycles,
	instructions,
	cache_misses,
};
inline constexpr size_t kSoftwareEvents = 4;
inline constexpr size_t kHardwareEvents = 3;
inline constexpr size_t kCountedEvents = kSoftwareEvents + kHardwareEvents;

// What read(2) gives of a group of events (PERF_FORMAT_GROUP with both times).
template <size_t N>
struct GroupReading {
	uint64_t nr;  // of the values that are there; 0: nothing could be read
	uint64_t enabled_ns;
	uint64_t running_ns;  // less: the counters were shared with others
	uint64_t values[N];
};

// Two groups, because the kernel counts a group as a whole or not at all: without free counters the first still counts.
struct CounterSnapshot {
	GroupReading<kSoftwareEvents> software;
	GroupReading<kHardwareEvents> hardware;
};

// Both readings, in memory that the process shares with whoever wants to know. u64 words in native order.
struct CounterRecord {
	uint64_t supported;  // a bit for each CountedEvent
	CounterSnapshot at_start;
	CounterSnapshot at_end;
	uint64_t pad[5];
};
static_assert(sizeof(CounterRecord) == 32 * sizeof(uint64_t));

// Events as plain values.
struct EventCounts {
	std::array<uint64_t, kCountedEvents> values{};
	uint64_t supported = 0;  // a bit for each event; without it the value means nothing
	uint64_t scaled = 0;     // those that were not counted all the time, and are estimated from the part that was

	bool has(CountedEvent event) const { return (supported >> static_cast<unsigned>(event) & 1) != 0; }
	// nullopt: not supported, or never counted.
	std::optional<uint64_t> of(CountedEvent event) const;
	// Of several threads: what one of them lacks, the sum lacks.
	void add(const EventCounts& other);
	bool operator==(const EventCounts&) const = default;
};

// From the first reading to the second one.
EventCounts counts_between(const CounterRecord& record);

class PerfCounters {
 public:
	// Of the calling thread, from now on. Error (lacking): no privilege, or a kernel without perf events.
	static Result<PerfCounters> open();
	PerfCounters(PerfCounters&& other) noexcept;
	PerfCounters& operator=(PerfCounters&&) = delete;
	~PerfCounters();

	uint64_t supported() const { return supported_; }
	void read(CounterSnapshot& into) const;
	// Whoever reads them after exec() needs the descriptors: all stay open, for a member that is closed leaves its
	// group.
	void keep_across_exec() const;
	int software_fd() const { return fds_[0].get(); }
	int hardware_fd() const { return hardware_fd_; }  // -1: none is supported

 private:
	PerfCounters() = default;
	std::array<UniqueFd, kCountedEvents> fds_;  // by event; empty: not supported
	int hardware_fd_ = -1;                      // of the first hardware event there is, which leads the group
	uint64_t supported_ = 0;
};

}  // namespace punctual
