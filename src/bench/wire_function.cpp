// SPDX-License-Identifier: GPL-2.0-only
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "base/clock.h"
#include "bench/packet_codec.h"
#include "bench/wire_processes.h"

namespace punctual {
namespace {

constexpr size_t kBatchMax = 32;
constexpr size_t kPayloadMax = 2048;
constexpr int kPollMs = 50;

// Work and forwarding, alike for all ways to receive.
class Server {
 public:
	Server(WireBoard& wire, const Board& board, const FunctionTask& task) : wire_(wire), board_(board), task_(task)
	{
		for (size_t i = 0; i < kBatchMax; i++) {
			parts_[i] = {&packets_[i], kPacketBytes};
			messages_[i].msg_hdr.msg_iov = &parts_[i];
			messages_[i].msg_hdr.msg_iovlen = 1;
		}
	}

	bool is_over() const { return Board::is_raised(wire_.drained); }

	void serve(std::span<const std::byte> payload)
	{
		const std::optional<BenchPacket> packet = decode_packet(payload, wire_.run_id);
		if (!packet) {
			wire_.function.foreign++;
			return;
		}
		const bool counts = in_window(*packet);
		wire_.function.received++;
		wire_.function.window_received += counts;
		if (is_over()) {  // it counts as lost: here, and nowhere else
			wire_.function.not_forwarded++;
			wire_.function.window_not_forwarded += counts;
			return;
		}
		value_ = turn(task_.work.iterations, value_);
		BenchPacket& out = packets_[filled_++];
		out = *packet;
		out.done_ns = monotonic_ns();
		if (!counting_ && counts) {  // two system calls, once
			counting_ = true;
			at_start_ = progress_now(0, 0);
		}
		if (filled_ == kBatchMax)
			forward();
	}

	void forward()
	{
		for (size_t at = 0; at < filled_;) {
			const int sent =
			    ::sendmmsg(task_.forward_fd, &messages_[at], static_cast<unsigned>(filled_ - at), 0);
			const size_t count = sent > 0 ? static_cast<size_t>(sent) : 1;
			uint64_t of_window = 0;
			for (const BenchPacket& packet : std::span(packets_).subspan(at, count))
				of_window += in_window(packet);
			(sent > 0 ? wire_.function.forwarded : wire_.function.not_forwarded) += count;
			(sent > 0 ? wire_.function.window_forwarded : wire_.function.window_not_forwarded) += of_window;
			at += count;
		}
		filled_ = 0;
	}

	void finish() const
	{
		const Progress now = progress_now(0, 0);
		if (counting_)
			wire_.function.used = {wire_.function.received, 0, now.cpu_ns - at_start_.cpu_ns,
					       now.voluntary_switches - at_start_.voluntary_switches,
					       now.involuntary_switches - at_start_.involuntary_switches};
	}

 private:
	bool in_window(const BenchPacket& packet) const { return packet.scheduled_ns >= board_.start_ns(); }

	WireBoard& wire_;
	const Board& board_;
	const FunctionTask& task_;
	uint64_t value_ = 1;
	bool counting_ = false;
	Progress at_start_{};
	size_t filled_ = 0;
	std::array<BenchPacket, kBatchMax> packets_;
	std::array<iovec, kBatchMax> parts_{};
	std::array<mmsghdr, kBatchMax> messages_{};
};

// One packet a call, and forwarded before the next one.
bool serve_udp(Server& server, int fd)
{
	std::array<std::byte, kPayloadMax> payload;
	for (;;) {
		const ssize_t bytes = ::recv(fd, payload.data(), payload.size(), 0);
		if (bytes >= 0) {
			server.serve({payload.data(), static_cast<size_t>(bytes)});
			server.forward();
		} else if (errno != EAGAIN && errno != EINTR) {
			return false;
		} else if (server.is_over()) {
			return true;
		}
	}
}

bool serve_recvmmsg(Server& server, int fd)
{
	std::array<std::array<std::byte, kPayloadMax>, kBatchMax> payloads;
	std::array<iovec, kBatchMax> parts{};
	std::array<mmsghdr, kBatchMax> messages{};
	for (size_t i = 0; i < kBatchMax; i++) {
		parts[i] = {payloads[i].data(), kPayloadMax};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	for (;;) {
		const int count = ::recvmmsg(fd, messages.data(), kBatchMax, MSG_WAITFORONE, nullptr);
		for (int i = 0; i < count; i++)
			server.serve(
			    {payloads[static_cast<size_t>(i)].data(), messages[static_cast<size_t>(i)].msg_len});
		server.forward();
		if (count < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (count < 0 && server.is_over())
			return true;
	}
}

// The packets of a block, which is ours until its status is given back.
void serve_block(Server& server, std::span<const std::byte> block)
{
	const auto* head = reinterpret_cast<const tpacket_block_desc*>(block.data());
	size_t at = head->hdr.bh1.offset_to_first_pkt;
	for (uint32_t i = 0; i < head->hdr.bh1.num_pkts; i++) {
		const auto* packet = reinterpret_cast<const tpacket3_hdr*>(block.data() + at);
		server.serve(udp_payload(block.subspan(at + packet->tp_net, packet->tp_snaplen)));
		at += packet->tp_next_offset;
	}
	server.forward();
}

bool serve_ring(Server& server, int fd, PacketRingSize size)
{
	const size_t bytes = static_cast<size_t>(size.block_bytes) * size.blocks;
	void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return false;
	const std::span ring(static_cast<std::byte*>(memory), bytes);
	for (size_t at = 0;; at = (at + size.block_bytes) % bytes) {
		auto* head = reinterpret_cast<tpacket_block_desc*>(ring.data() + at);
		const std::atomic_ref status(head->hdr.bh1.block_status);
		while ((status.load(std::memory_order_acquire) & TP_STATUS_USER) == 0) {
			pollfd wait{fd, POLLIN, 0};
			const int ready = ::poll(&wait, 1, kPollMs);
			if (ready < 0 && errno != EINTR)
				return false;
			if (ready == 0 && server.is_over())
				return true;  // the mapping goes with the process
		}
		serve_block(server, ring.subspan(at, size.block_bytes));
		status.store(TP_STATUS_KERNEL, std::memory_order_release);
	}
}

bool serve_plane(Server& server, const FunctionTask& task)
{
	if (task.plane == PacketPlane::af_packet)
		return serve_ring(server, task.receive_fd, task.ring);
	return task.plane == PacketPlane::udp ? serve_udp(server, task.receive_fd)
					      : serve_recvmmsg(server, task.receive_fd);
}

}  // namespace

int run_wire_function(WireBoard& wire, const Board& board, const FunctionTask& task)
{
	FunctionReport& report = wire.function;
	Server server(wire, board, task);
	bool is_well = ::mlockall(MCL_CURRENT | MCL_FUTURE) == 0 && ::prctl(PR_SET_TIMERSLACK, 1) == 0;
	if (!is_well)
		report.error_number = static_cast<uint64_t>(errno);
	Board::raise(report.ready);
	if (is_well && !serve_plane(server, task)) {
		report.error_number = static_cast<uint64_t>(errno);
		is_well = false;
	}
	server.finish();
	Board::raise(report.done);
	return is_well ? 0 : 1;
}

}  // namespace punctual
