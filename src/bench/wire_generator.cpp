// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/clock.h"
#include "bench/packet_codec.h"
#include "bench/wire_processes.h"

namespace punctual {
namespace {

constexpr size_t kBatchMax = 8;
constexpr uint64_t kSpinNs = 30'000;         // a timer alone is later than this on many machines
constexpr uint64_t kOverrunNs = 50'000'000;  // after the end of the schedule

class Generator {
 public:
	Generator(WireBoard& wire, const GeneratorTask& task, uint64_t origin_ns)
	    : report_(wire.generator), task_(task), origin_ns_(origin_ns)
	{
		for (size_t i = 0; i < kBatchMax; i++) {
			packets_[i].run_id = wire.run_id;
			parts_[i] = {&packets_[i], kPacketBytes};
			messages_[i].msg_hdr.msg_iov = &parts_[i];
			messages_[i].msg_hdr.msg_iovlen = 1;
		}
	}

	// False: the socket is broken.
	bool run()
	{
		const uint64_t give_up_ns = origin_ns_ + task_.length_ns + kOverrunNs;
		while (next_ < task_.schedule_ns.size()) {
			const uint64_t now_ns = monotonic_ns();
			if (now_ns > give_up_ns)
				break;
			if (due_ns(next_) > now_ns)
				wait_until(due_ns(next_), now_ns);
			else if (!send_due(now_ns))
				return false;
		}
		note_not_sent(task_.schedule_ns.size() - next_);
		report_.lateness.store(lateness_);
		return true;
	}

 private:
	uint64_t due_ns(size_t index) const { return origin_ns_ + task_.schedule_ns[index]; }

	void wait_until(uint64_t at_ns, uint64_t now_ns) const
	{
		if (!task_.has_cpu)
			return sleep_until_ns(at_ns);
		if (at_ns - now_ns > kSpinNs)
			sleep_until_ns(at_ns - kSpinNs);
		while (monotonic_ns() < at_ns) {
		}
	}

	bool send_due(uint64_t now_ns)
	{
		unsigned count = 0;
		for (; count < kBatchMax && next_ + count < task_.schedule_ns.size(); count++) {
			if (due_ns(next_ + count) > now_ns)
				break;
			packets_[count].sequence = next_ + count;
			packets_[count].scheduled_ns = due_ns(next_ + count);
			packets_[count].sent_ns = now_ns;
		}
		const int sent = ::sendmmsg(task_.fd, messages_.data(), count, 0);
		if (sent < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EINTR) {
			report_.error_number = static_cast<uint64_t>(errno);
			return false;
		}
		if (sent <= 0) {
			note_not_sent(1);
			next_++;
			return true;
		}
		note_sent(static_cast<unsigned>(sent), now_ns);
		return true;
	}

	// How many of the next `count` are due in the window.
	uint64_t in_window(uint64_t count) const
	{
		const auto next = task_.schedule_ns.begin() + static_cast<std::ptrdiff_t>(next_);
		const auto end = next + static_cast<std::ptrdiff_t>(count);
		return static_cast<uint64_t>(end - std::lower_bound(next, end, task_.warmup_ns));
	}

	void note_not_sent(uint64_t count)
	{
		report_.not_sent += count;
		report_.window_not_sent += in_window(count);
	}

	// The first one was sent when the call began, the others no later than when it returned.
	void note_sent(unsigned count, uint64_t began_ns)
	{
		const uint64_t last_ns = count > 1 ? monotonic_ns() : began_ns;
		lateness_.record(began_ns - due_ns(next_));
		for (unsigned i = 1; i < count; i++)
			lateness_.record(last_ns - due_ns(next_ + i));
		report_.sent += count;
		report_.window_sent += in_window(count);
		report_.sending_ns = last_ns - due_ns(0);
		next_ += count;
	}

	GeneratorReport& report_;
	const GeneratorTask& task_;
	uint64_t origin_ns_;
	size_t next_ = 0;
	Histogram lateness_;
	std::array<BenchPacket, kBatchMax> packets_;
	std::array<iovec, kBatchMax> parts_{};
	std::array<mmsghdr, kBatchMax> messages_{};
};

// The generator stands for a network: whichever scheduler is tried on the packet function, it must not be its matter
// when packets come.
bool leave_the_schedulers()
{
	const sched_param priority{.sched_priority = 1};
	return ::mlockall(MCL_CURRENT | MCL_FUTURE) == 0 && ::prctl(PR_SET_TIMERSLACK, 1) == 0 &&
	       ::sched_setscheduler(0, SCHED_FIFO, &priority) == 0;
}

}  // namespace

int run_generator(WireBoard& wire, const Board& board, const Gate& gate, const GeneratorTask& task)
{
	GeneratorReport& report = wire.generator;
	bool is_well = leave_the_schedulers();
	if (!is_well)
		report.error_number = static_cast<uint64_t>(errno);
	Board::raise(report.ready);
	if (is_well) {
		gate.pass();
		is_well = Generator(wire, task, board.start_ns() - task.warmup_ns).run();
	}
	report.ended_ns = monotonic_ns();
	Board::raise(report.done);
	return is_well ? 0 : 1;
}

}  // namespace punctual
