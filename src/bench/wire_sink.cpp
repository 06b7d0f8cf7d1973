// SPDX-License-Identifier: GPL-2.0-only
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/clock.h"
#include "bench/packet_codec.h"
#include "bench/wire_processes.h"

namespace punctual {
namespace {

constexpr size_t kBatchMax = 64;
constexpr uint64_t kDrainNs = 2'000'000'000;  // as RFC 2544 waits for residual frames
constexpr int kQuietTimes = 2;                // receive timeouts without a packet, after the packet function ended

class Sink {
 public:
	Sink(WireBoard& wire, const Board& board, uint64_t nr_scheduled)
	    : wire_(wire), board_(board), seen_(nr_scheduled)
	{}

	void take(std::span<const std::byte> payload)
	{
		SinkReport& report = wire_.sink;
		const std::optional<BenchPacket> packet = decode_packet(payload, wire_.run_id);
		if (!packet || packet->sequence >= seen_.size()) {
			report.foreign++;
			return;
		}
		if (seen_[packet->sequence]) {
			report.duplicates++;
			return;
		}
		seen_[packet->sequence] = true;
		report.delivered++;
		report.reordered += packet->sequence + 1 < after_last_;
		after_last_ = std::max(after_last_, packet->sequence + 1);
		if (packet->scheduled_ns >= board_.start_ns()) {
			latency_.record(packet->done_ns - packet->scheduled_ns);
			from_send_.record(packet->done_ns - packet->sent_ns);
		}
	}

	// Everything came, or enough was waited for what is missing.
	void look_for_the_end()
	{
		GeneratorReport& generator = wire_.generator;
		if (!Board::is_raised(generator.done) || Board::is_raised(wire_.drained))
			return;
		if (wire_.sink.delivered == generator.sent || monotonic_ns() > generator.ended_ns + kDrainNs)
			Board::raise(wire_.drained);
	}

	void finish()
	{
		wire_.sink.latency.store(latency_);
		wire_.sink.from_send.store(from_send_);
	}

 private:
	WireBoard& wire_;
	const Board& board_;
	std::vector<bool> seen_;
	uint64_t after_last_ = 0;
	Histogram latency_;
	Histogram from_send_;
};

bool take_all(Sink& sink, WireBoard& wire, int fd)
{
	std::array<std::array<std::byte, 2 * kPacketBytes>, kBatchMax> payloads;
	std::array<iovec, kBatchMax> parts{};
	std::array<mmsghdr, kBatchMax> messages{};
	for (size_t i = 0; i < kBatchMax; i++) {
		parts[i] = {payloads[i].data(), payloads[i].size()};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	for (int quiet = 0; quiet < kQuietTimes;) {
		const bool function_ended = Board::is_raised(wire.function.done);
		const int count = ::recvmmsg(fd, messages.data(), kBatchMax, MSG_WAITFORONE, nullptr);
		if (count < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		for (int i = 0; i < count; i++)
			sink.take({payloads[static_cast<size_t>(i)].data(), messages[static_cast<size_t>(i)].msg_len});
		sink.look_for_the_end();
		quiet = count < 0 && function_ended ? quiet + 1 : 0;
	}
	return true;
}

}  // namespace

int run_sink(WireBoard& wire, const Board& board, int fd, uint64_t nr_scheduled)
{
	Sink sink(wire, board, nr_scheduled);
	Board::raise(wire.sink.ready);
	const bool is_well = take_all(sink, wire, fd);
	if (!is_well) {
		wire.sink.error_number = static_cast<uint64_t>(errno);
		Board::raise(wire.drained);
	}
	sink.finish();
	return is_well ? 0 : 1;
}

}  // namespace punctual
