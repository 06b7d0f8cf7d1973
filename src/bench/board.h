// SPDX-License-Identifier: GPL-2.0-only
// Memory shared by the controlling process and both sides of a trial: when the measured window is,
// and what each background process had done at its edges. The sides write down their own figures as
// they cross an edge, so nobody has to run, and disturb, at that moment to read them.
//
// Everything is u64 words in native order: workloads/telemetry.py sees the same memory as an array.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/fd.h"
#include "base/perf_counters.h"
#include "base/result.h"

namespace punctual {

// What a process had used and done up to a moment.
struct Progress {
	uint64_t work;     // packets, iterations or telemetry steps
	uint64_t batches;  // whole telemetry batches
	uint64_t cpu_ns;
	uint64_t voluntary_switches;    // it slept
	uint64_t involuntary_switches;  // it was preempted
};

// Of the calling process.
Progress progress_now(uint64_t work, uint64_t batches);

struct BoardSlot {
	uint64_t ready;  // waits at the gate
	uint64_t done;   // `at_end` is valid
	Progress at_start;
	Progress at_end;
	uint64_t version;    // of the interpreter, as sys.hexversion
	uint64_t unit_work;  // spinners only: so much work
	uint64_t unit_ns;    // takes so long when nothing interrupts
	uint64_t pad[1];
};
static_assert(sizeof(BoardSlot) == 16 * sizeof(uint64_t), "telemetry.py counts in slots of 16 words");

class Board {
 public:
	static Result<Board> create(size_t slots);
	Board(Board&& other) noexcept;
	Board& operator=(Board&&) = delete;
	~Board();

	int fd() const { return fd_.get(); }
	// The window in ns of the monotonic clock; set before the gate opens.
	void set_window(uint64_t start_ns, uint64_t end_ns);
	uint64_t start_ns() const { return words_[0]; }
	uint64_t end_ns() const { return words_[1]; }
	size_t slots() const { return slots_; }
	BoardSlot& slot(size_t index) const { return reinterpret_cast<BoardSlot*>(words_)[1 + index]; }
	// Of the process of that slot, when counters are on.
	CounterRecord& counters(size_t index) const { return reinterpret_cast<CounterRecord*>(&slot(slots_))[index]; }
	// Where that is, for telemetry.py.
	size_t word_of(const uint64_t* inside) const { return static_cast<size_t>(inside - words_); }
	bool all_ready() const;
	bool all_done() const;

	// Marks that another process polls.
	static void raise(uint64_t& mark) { std::atomic_ref(mark).store(1, std::memory_order_release); }
	static bool is_raised(uint64_t& mark) { return std::atomic_ref(mark).load(std::memory_order_acquire) != 0; }

 private:
	Board(UniqueFd fd, uint64_t* words, size_t slots) : fd_(std::move(fd)), words_(words), slots_(slots) {}
	UniqueFd fd_;
	uint64_t* words_;  // word 0 and 1: the window; then one slot's space each, then a CounterRecord each
	size_t slots_;
};

}  // namespace punctual
