// SPDX-License-Identifier: GPL-2.0-only
#include "bench/board.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"

namespace punctual {
namespace {

size_t board_bytes(size_t slots)
{
	return (1 + slots) * sizeof(BoardSlot) + slots * sizeof(CounterRecord);
}

bool every_slot(const Board& board, uint64_t BoardSlot::* mark)
{
	for (size_t i = 0; i < board.slots(); i++)
		if (!Board::is_raised(board.slot(i).*mark))
			return false;
	return true;
}

}  // namespace

Progress progress_now(uint64_t work, uint64_t batches)
{
	rusage usage{};
	::getrusage(RUSAGE_SELF, &usage);
	return Progress{work, batches, clock_ns(CLOCK_PROCESS_CPUTIME_ID), static_cast<uint64_t>(usage.ru_nvcsw),
			static_cast<uint64_t>(usage.ru_nivcsw)};
}

Result<Board> Board::create(size_t slots)
{
	UniqueFd fd(::memfd_create("punctual-board", MFD_CLOEXEC));
	if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(board_bytes(slots))) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot create the shared memory of a trial");
	void* memory =
	    ::mmap(nullptr, board_bytes(slots), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd.get(), 0);
	if (memory == MAP_FAILED)
		return fail_errno(errno, ExitCode::failed, "cannot map the shared memory of a trial");
	return Board(std::move(fd), static_cast<uint64_t*>(memory), slots);
}

Board::Board(Board&& other) noexcept
    : fd_(std::move(other.fd_)), words_(std::exchange(other.words_, nullptr)), slots_(other.slots_)
{}

Board::~Board()
{
	if (words_ != nullptr)
		::munmap(words_, board_bytes(slots_));
}

void Board::set_window(uint64_t start_ns, uint64_t end_ns)
{
	words_[0] = start_ns;
	words_[1] = end_ns;
}

bool Board::all_ready() const
{
	return every_slot(*this, &BoardSlot::ready);
}

bool Board::all_done() const
{
	return every_slot(*this, &BoardSlot::done);
}

}  // namespace punctual
