// SPDX-License-Identifier: GPL-2.0-only
// Memory shared by the processes of a trial with real packets: who has got how far, and what each of
// them counted. Each part has one writer; marks (Board::raise) say when a part may be read.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "base/result.h"
#include "bench/board.h"
#include "measure/histogram.h"

namespace punctual {

// A histogram where another process can read it.
struct HistogramImage {
	uint64_t sum_ns;
	uint64_t filled;
	HistogramBucket buckets[LOGLIN_FINE_BUCKETS];

	void store(const Histogram& histogram)
	{
		const std::vector<HistogramBucket> all = histogram.buckets();
		sum_ns = histogram.sum_ns();
		filled = all.size();
		std::ranges::copy(all, buckets);
	}
	Result<Histogram> load() const { return Histogram::from_buckets({buckets, filled}, sum_ns); }
};

struct GeneratorReport {
	uint64_t ready;
	uint64_t done;          // everything below is final
	uint64_t error_number;  // why it gave up
	uint64_t ended_ns;
	uint64_t not_sent;
	uint64_t sent;
	uint64_t sending_ns;
	uint64_t window_not_sent;  // of those that were due in the window; likewise below
	uint64_t window_sent;
	HistogramImage lateness;
};

struct FunctionReport {
	uint64_t ready;
	uint64_t done;
	uint64_t error_number;
	uint64_t received;
	uint64_t not_forwarded;
	uint64_t forwarded;
	uint64_t foreign;
	uint64_t window_received;
	uint64_t window_not_forwarded;
	uint64_t window_forwarded;
	Progress used;  // since the first packet of the window
};

struct SinkReport {
	uint64_t ready;
	uint64_t error_number;
	uint64_t delivered;
	uint64_t duplicates;
	uint64_t reordered;
	uint64_t foreign;
	HistogramImage latency;    // of the window: done - scheduled
	HistogramImage from_send;  // of the window: done - sent
};

struct WireBoard {
	uint64_t run_id;
	uint64_t drained;  // no packet counts as served any more
	GeneratorReport generator;
	FunctionReport function;
	SinkReport sink;
};

// A T full of zeros that forked processes share.
template <typename T>
class Shared {
 public:
	static Result<Shared> create()
	{
		void* memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			return fail_errno(errno, ExitCode::failed, "cannot map the shared memory of a trial");
		return Shared(static_cast<T*>(memory));
	}
	Shared(Shared&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
	Shared& operator=(Shared&&) = delete;
	~Shared()
	{
		if (value_ != nullptr)
			::munmap(value_, sizeof(T));
	}
	T& operator*() const { return *value_; }
	T* operator->() const { return value_; }

 private:
	explicit Shared(T* value) : value_(value) {}
	T* value_;
};

}  // namespace punctual
