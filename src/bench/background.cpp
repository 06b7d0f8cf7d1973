// SPDX-License-Identifier: GPL-2.0-only
#include "bench/background.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>

#include "base/clock.h"
#include "bench/telemetry_script.h"
#include "bench/work.h"

namespace punctual {
namespace {

constexpr const char* kPython = "/usr/bin/python3";
// About 4 us: long against the reading of the clock, short against any window.
constexpr uint64_t kSpinChunk = 1024;
// Before the load begins: of so many chunks, one is not interrupted.
constexpr uint64_t kTrialChunks = 64;

// nullptr when counters are off. A process that cannot open them ends: whoever started it could.
std::unique_ptr<PerfCounters> open_counters(bool wanted, CounterRecord& record)
{
	if (!wanted)
		return nullptr;
	Result<PerfCounters> counters = PerfCounters::open();
	if (!counters)
		::_exit(1);
	record.supported = counters->supported();
	return std::make_unique<PerfCounters>(std::move(*counters));
}

// What a spinner notes as it crosses an edge of the window. Apart from its loop, which must not get slower by what is
// noted: a register less there, and each turn takes half as long again.
struct SpinNotes {
	BoardSlot& slot;
	CounterRecord& record;
	const PerfCounters* counters;  // nullptr: off

	[[gnu::noinline]] void start(uint64_t iterations)
	{
		slot.at_start = progress_now(iterations, 0);
		if (counters != nullptr)
			counters->read(record.at_start);
	}

	[[gnu::noinline]] void end(uint64_t iterations)
	{
		slot.at_end = progress_now(iterations, 0);
		if (counters != nullptr)
			counters->read(record.at_end);
		Board::raise(slot.done);
	}
};

[[gnu::noinline]] int spin(const Gate& gate, const Board& board, SpinNotes& notes)
{
	BoardSlot& slot = notes.slot;
	uint64_t start_ns = ~0ULL;  // known when the gate opens
	uint64_t end_ns = ~0ULL;
	uint64_t value = 1;
	uint64_t iterations = 0;
	uint64_t last_ns = monotonic_ns();
	bool started = false;
	bool ended = false;
	slot.unit_work = kSpinChunk;
	slot.unit_ns = ~0ULL;
	for (uint64_t chunk = 0;; chunk++) {
		if (chunk == kTrialChunks) {  // here, so that the trials are turns of the very loop that is counted
			Board::raise(slot.ready);
			gate.pass();
			start_ns = board.start_ns();
			end_ns = board.end_ns();
		}
		value = turn(kSpinChunk, value);
		const uint64_t now_ns = monotonic_ns();
		slot.unit_ns = std::min(slot.unit_ns, now_ns - last_ns);
		last_ns = now_ns;
		if (!started && now_ns >= start_ns) {
			started = true;
			notes.start(iterations);
		}
		if (!ended && now_ns >= end_ns) {
			ended = true;
			notes.end(iterations);
		}
		iterations += kSpinChunk;  // after the edges: a chunk across an edge belongs to neither side of it
	}
}

// The script as a file that needs no place in the file system.
Result<UniqueFd> script_file()
{
	UniqueFd fd(::memfd_create("telemetry.py", 0));
	const std::string_view text = telemetry_script();
	if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
		return fail_errno(errno, ExitCode::failed, "cannot write telemetry.py to memory");
	return fd;
}

void keep_across_exec(int fd)
{
	::fcntl(fd, F_SETFD, 0);
}

// For each group of events: its descriptor, where its two readings go in words of the board, and how long one is.
std::string counters_argument(const PerfCounters& counters, const Board& board, size_t slot)
{
	const auto place = [&](int fd, const auto& from, const auto& to) {
		return fmt::format("{}:{}:{}:{}", fd, board.word_of(&from.nr), board.word_of(&to.nr),
				   sizeof(from) / sizeof(uint64_t));
	};
	const CounterRecord& record = board.counters(slot);
	std::string text = "--counters=";
	text += place(counters.software_fd(), record.at_start.software, record.at_end.software);
	if (counters.hardware_fd() >= 0)
		text += "," + place(counters.hardware_fd(), record.at_start.hardware, record.at_end.hardware);
	return text;
}

// The environment and the import path of whoever runs us must not change the load: -S no site
// packages, -s no user packages, -B no cache files, and a fixed hash seed for the same dictionaries.
int become_python(int script_fd, int gate_fd, const Board& board, size_t slot, const PerfCounters* counters)
{
	keep_across_exec(script_fd);
	keep_across_exec(gate_fd);
	keep_across_exec(board.fd());
	std::string script = fmt::format("/proc/self/fd/{}", script_fd);
	std::string gate = fmt::format("--gate={}", gate_fd);
	std::string memory = fmt::format("--board={}", board.fd());
	std::string number = fmt::format("--slot={}", slot);
	std::string counted;
	if (counters != nullptr) {
		counters->keep_across_exec();
		counted = counters_argument(*counters, board, slot);
	}
	char python[] = "python3";
	char flags[] = "-SsB";
	char* arguments[] = {python,
			     flags,
			     script.data(),
			     gate.data(),
			     memory.data(),
			     number.data(),
			     counters != nullptr ? counted.data() : nullptr,
			     nullptr};
	char path[] = "PATH=/usr/bin:/bin";
	char seed[] = "PYTHONHASHSEED=0";
	char* environment[] = {path, seed, nullptr};
	::execve(kPython, arguments, environment);
	return 127;
}

}  // namespace

std::string_view background_unit(BackgroundKind kind)
{
	return kind == BackgroundKind::python ? "telemetry steps" : "iterations";
}

Result<Background> Background::start(const BenchOptions& options, const ScopedCgroup& cgroup, const Gate& gate,
				     const Board& board)
{
	const bool python = options.background == BackgroundKind::python;
	if (python && ::access(kPython, X_OK) != 0)
		return fail_errno(
		    errno, ExitCode::lacking,
		    fmt::format("cannot run {} (apt install python3, or use --background spin)", kPython));
	UniqueFd script;
	if (python)
		script = TRY(script_file());
	std::vector<Worker> workers;
	for (size_t i = 0; i < options.background_processes; i++) {
		const auto body = [&] {
			const auto counters = open_counters(options.counters, board.counters(i));
			if (python)
				return become_python(script.get(), gate.fd(), board, i, counters.get());
			SpinNotes notes{board.slot(i), board.counters(i), counters.get()};
			return spin(gate, board, notes);
		};
		workers.push_back(
		    TRY(Worker::start(fmt::format("background process {}", i), cgroup, options.cpus, body)));
	}
	return Background(std::move(workers));
}

Status Background::still_runs()
{
	for (Worker& worker : workers_)
		TRY(worker.still_runs());
	return {};
}

}  // namespace punctual
