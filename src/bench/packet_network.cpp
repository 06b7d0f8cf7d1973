// SPDX-License-Identifier: GPL-2.0-only
#include "bench/packet_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "base/units.h"
#include "bench/packet_codec.h"

namespace punctual {
namespace {

// What a small UDP packet counts in a receive buffer: 212992 bytes, the usual default, hold 256.
constexpr uint64_t kBufferBytesPerPacket = 832;
// The sink only counts; it must not lose what the packet function forwards while others have its CPU.
constexpr int kSinkBufferBytes = 256 << 20;
constexpr int kSendBufferBytes = 4 << 20;
constexpr uint32_t kBlockBytes = 4096;
constexpr uint32_t kFrameBytes = 2048;
constexpr uint64_t kPacketsPerBlock = 20;  // of ours, with the headers of the ring
constexpr unsigned kRetireMs = 1;          // the shortest: a block that is not full waits so long
constexpr timeval kReceiveTimeout{0, 50'000};
constexpr uint64_t kDrainMax = 1 << 20;
constexpr int kLinkTries = 1000;
constexpr Nanoseconds kLinkPause = std::chrono::milliseconds(5);

constexpr uint16_t kPort = 9000;
constexpr uint8_t kPrefixBits = 30;
enum Side { kGenerator, kFunction, kSink };
struct End {
	const char* name;
	uint8_t mac_last;
	uint32_t address;  // 10.254.x.y
};
constexpr End kGeneratorEnd{"generator", 1, 0x0afe0101};
constexpr End kReceiveEnd{"receive", 2, 0x0afe0102};
constexpr End kForwardEnd{"forward", 3, 0x0afe0201};
constexpr End kSinkEnd{"sink", 4, 0x0afe0202};

Result<UniqueFd> current_namespace()
{
	UniqueFd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
	if (!fd)
		return fail_errno(errno, ExitCode::lacking, "cannot open /proc/thread-self/ns/net");
	return fd;
}

// This thread is in another network namespace, and back where it was at the end.
class Visit {
 public:
	static Result<Visit> begin(int space)
	{
		Visit visit(TRY(current_namespace()));
		if (::setns(space, CLONE_NEWNET) != 0)
			return fail_errno(errno, ExitCode::lacking, "cannot enter a network namespace (run as root)");
		return visit;
	}
	Visit(Visit&&) = default;
	Visit& operator=(Visit&&) = delete;
	~Visit()
	{
		// What would run on in the wrong network must not run on at all.
		if (home_ && ::setns(home_.get(), CLONE_NEWNET) != 0)
			std::abort();
	}

 private:
	explicit Visit(UniqueFd home) : home_(std::move(home)) {}
	UniqueFd home_;
};

Result<UniqueFd> make_namespace()
{
	const UniqueFd home = TRY(current_namespace());
	if (::unshare(CLONE_NEWNET) != 0)
		return fail_errno(errno, ExitCode::lacking,
				  "cannot make a network namespace (run as root, on a kernel with CONFIG_NET_NS)");
	Result<UniqueFd> made = current_namespace();
	// Neighbour discovery would send packets of its own. Where there is no IPv6 there is no such file.
	(void)write_kernel_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	if (::setns(home.get(), CLONE_NEWNET) != 0)
		std::abort();  // as above
	return made;
}

sockaddr_in socket_address(const End& end)
{
	sockaddr_in address{};
	address.sin_family = AF_INET;
	address.sin_port = htons(kPort);
	address.sin_addr.s_addr = htonl(end.address);
	return address;
}

template <typename Value>
Status set_option(int fd, int level, int name, const Value& value, const char* what)
{
	if (::setsockopt(fd, level, name, &value, sizeof(value)) != 0)
		return fail_errno(errno, ExitCode::lacking, fmt::format("cannot set {} of a socket", what));
	return {};
}

Result<UniqueFd> udp_sender(const End& to)
{
	UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	const sockaddr_in address = socket_address(to);
	if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot connect a UDP socket");
	TRY(set_option(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, kSendBufferBytes, "the send buffer"));
	return fd;
}

// `buffer_bytes`: the kernel sets twice as much.
Result<UniqueFd> udp_receiver(const End& at, int buffer_bytes)
{
	UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	const sockaddr_in address = socket_address(at);
	if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot bind a UDP socket");
	TRY(set_option(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, buffer_bytes, "the receive buffer"));
	TRY(set_option(fd.get(), SOL_SOCKET, SO_RCVTIMEO, kReceiveTimeout, "the timeout"));
	return fd;
}

Result<UniqueFd> packet_receiver(unsigned index, PacketRingSize size)
{
	// Without a protocol until it is bound: else it would get packets of all devices.
	UniqueFd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (!fd)
		return fail_errno(errno, ExitCode::lacking, "cannot open a packet socket (CONFIG_PACKET)");
	TRY(set_option(fd.get(), SOL_PACKET, PACKET_VERSION, static_cast<int>(TPACKET_V3), "TPACKET_V3"));
	tpacket_req3 ring{};
	ring.tp_block_size = size.block_bytes;
	ring.tp_block_nr = size.blocks;
	ring.tp_frame_size = kFrameBytes;
	ring.tp_frame_nr = size.blocks * (size.block_bytes / kFrameBytes);
	ring.tp_retire_blk_tov = kRetireMs;
	TRY(set_option(fd.get(), SOL_PACKET, PACKET_RX_RING, ring, "the mapped ring"));
	sockaddr_ll address{};
	address.sll_family = AF_PACKET;
	address.sll_protocol = htons(ETH_P_IP);
	address.sll_ifindex = static_cast<int>(index);
	if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot bind a packet socket");
	return fd;
}

// Reading sets the kernel's counters to 0. tp_packets contains tp_drops.
Result<tpacket_stats_v3> packet_statistics(int fd)
{
	tpacket_stats_v3 statistics{};
	socklen_t bytes = sizeof(statistics);
	if (::getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &bytes) != 0)
		return fail_errno(errno, ExitCode::failed, "cannot read the statistics of a packet socket");
	return statistics;
}

// Takes out what is there. How many packets it was.
uint64_t drain(int udp_fd)
{
	std::array<std::byte, kPacketBytes> payload;
	uint64_t packets = 0;
	while (packets < kDrainMax && ::recv(udp_fd, payload.data(), payload.size(), MSG_DONTWAIT) > 0)
		packets++;
	return packets;
}

// How many packets came since the last call: to a packet socket, or to a UDP one, which is emptied.
Result<uint64_t> arrived(int fd, bool is_packet_socket)
{
	if (!is_packet_socket)
		return drain(fd);
	const tpacket_stats_v3 statistics = TRY(packet_statistics(fd));
	return statistics.tp_packets - statistics.tp_drops;
}

Status send_empty(int fd)
{
	const BenchPacket packet;
	if (::send(fd, &packet, kPacketBytes, 0) < 0 && errno != EAGAIN && errno != ENOBUFS)
		return fail_errno(errno, ExitCode::failed, "cannot send over the pair of devices");
	return {};
}

// The kernel tells both ends of a new pair asynchronously that the other one is up. Until then it drops what is sent,
// and counts that nowhere.
Status wait_for_link(int sender, int receiver, bool is_packet_socket)
{
	for (int tries = 0; tries < kLinkTries; tries++) {
		TRY(send_empty(sender));
		std::this_thread::sleep_for(kLinkPause);
		if (TRY(arrived(receiver, is_packet_socket)) > 0)
			return {};
	}
	return fail(ExitCode::failed, "no packet gets through the pair of devices after {}",
		    format_duration(kLinkTries * kLinkPause));
}

Status set_up_end(RouteSocket& route, const End& end, const End& peer, bool with_address)
{
	const unsigned index = ::if_nametoindex(end.name);
	if (index == 0)
		return fail_errno(errno, ExitCode::failed, fmt::format("no network device {}", end.name));
	if (with_address)
		TRY(route.add_address(index, end.address, kPrefixBits));
	TRY(route.set_up(index));
	return route.add_neighbour(index, peer.address, peer.mac_last);
}

}  // namespace

Result<PacketNetwork> PacketNetwork::create(PacketPlane plane, uint64_t ring_packets)
{
	PacketNetwork network(plane);
	TRY(network.make_spaces());
	TRY(network.make_links());
	TRY(network.open_sockets(ring_packets));
	TRY(network.probe_receiver(ring_packets));
	network.before_ = TRY(network.read_counters());
	return network;
}

Status PacketNetwork::make_spaces()
{
	for (Space& space : spaces_) {
		space.fd = TRY(make_namespace());
		const Visit visit = TRY(Visit::begin(space.fd.get()));
		space.route = TRY(RouteSocket::open());
	}
	return {};
}

Status PacketNetwork::make_links()
{
	const auto end = [](const End& of) { return EthernetEnd{of.name, of.mac_last}; };
	TRY(spaces_[kGenerator].route->add_veth(end(kGeneratorEnd), end(kReceiveEnd), spaces_[kFunction].fd.get()));
	TRY(spaces_[kFunction].route->add_veth(end(kForwardEnd), end(kSinkEnd), spaces_[kSink].fd.get()));
	{
		const Visit visit = TRY(Visit::begin(spaces_[kGenerator].fd.get()));
		TRY(set_up_end(*spaces_[kGenerator].route, kGeneratorEnd, kReceiveEnd, true));
	}
	{
		const Visit visit = TRY(Visit::begin(spaces_[kSink].fd.get()));
		TRY(set_up_end(*spaces_[kSink].route, kSinkEnd, kForwardEnd, true));
	}
	const Visit visit = TRY(Visit::begin(spaces_[kFunction].fd.get()));
	// With an address the kernel would answer each packet that goes to a packet socket: nobody has that port.
	TRY(set_up_end(*spaces_[kFunction].route, kReceiveEnd, kGeneratorEnd, plane_ != PacketPlane::af_packet));
	return set_up_end(*spaces_[kFunction].route, kForwardEnd, kSinkEnd, true);
}

Result<UniqueFd> PacketNetwork::open_receiver(uint64_t ring_packets)
{
	const Visit visit = TRY(Visit::begin(spaces_[kFunction].fd.get()));
	if (plane_ != PacketPlane::af_packet)
		return udp_receiver(kReceiveEnd, static_cast<int>(ring_packets * kBufferBytesPerPacket / 2));
	const auto blocks = std::max<uint64_t>(2, (ring_packets + kPacketsPerBlock - 1) / kPacketsPerBlock);
	ring_ = {kBlockBytes, static_cast<uint32_t>(blocks)};
	return packet_receiver(::if_nametoindex(kReceiveEnd.name), ring_);
}

Status PacketNetwork::open_sockets(uint64_t ring_packets)
{
	{
		const Visit visit = TRY(Visit::begin(spaces_[kGenerator].fd.get()));
		generator_ = TRY(udp_sender(kReceiveEnd));
	}
	{
		const Visit visit = TRY(Visit::begin(spaces_[kSink].fd.get()));
		sink_ = TRY(udp_receiver(kSinkEnd, kSinkBufferBytes));
	}
	receive_ = TRY(open_receiver(ring_packets));
	const Visit visit = TRY(Visit::begin(spaces_[kFunction].fd.get()));
	forward_ = TRY(udp_sender(kSinkEnd));
	TRY(wait_for_link(generator_.get(), receive_.get(), plane_ == PacketPlane::af_packet));
	return wait_for_link(forward_.get(), sink_.get(), false);
}

// Fills the buffer while nobody empties it: what goes in is its size. A new one is before it and after it.
Status PacketNetwork::probe_receiver(uint64_t ring_packets)
{
	const auto reopen = [&]() -> Status {
		receive_.reset();
		receive_ = TRY(open_receiver(ring_packets));
		return {};
	};
	TRY(reopen());
	for (uint64_t i = 0; i < 4 * ring_packets + 1024; i++)
		TRY(send_empty(generator_.get()));
	rcvbuf_packets_ = TRY(arrived(receive_.get(), plane_ == PacketPlane::af_packet));
	if (plane_ == PacketPlane::af_packet) {
		rcvbuf_bytes_ = static_cast<uint64_t>(ring_.block_bytes) * ring_.blocks;
	} else {
		int bytes = 0;
		socklen_t size = sizeof(bytes);
		if (::getsockopt(receive_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, &size) != 0)
			return fail_errno(errno, ExitCode::failed, "cannot read the size of a receive buffer");
		rcvbuf_bytes_ = static_cast<uint64_t>(bytes);
	}
	// Packets come in the order in which they were sent: behind this one none of the probe is on its way.
	TRY(reopen());
	TRY(wait_for_link(generator_.get(), receive_.get(), plane_ == PacketPlane::af_packet));
	return reopen();
}

Result<LinkCounters> PacketNetwork::read_link(const Space& sender, std::string_view sender_device,
					      const Space& receiver, std::string_view receiver_device) const
{
	LinkCounters counters;
	{
		const Visit visit = TRY(Visit::begin(sender.fd.get()));
		counters.sender_tx_dropped =
		    TRY(device_drops(TRY(read_file("/proc/thread-self/net/dev")), sender_device)).sent;
	}
	const Visit visit = TRY(Visit::begin(receiver.fd.get()));
	counters.receiver_rx_dropped =
	    TRY(device_drops(TRY(read_file("/proc/thread-self/net/dev")), receiver_device)).received;
	// A full receive buffer, and memory for all UDP sockets used up: UdpInErrors contains both.
	const std::string snmp = TRY(read_file("/proc/thread-self/net/snmp"));
	counters.socket = snmp_counter(snmp, "Udp", "RcvbufErrors") + snmp_counter(snmp, "Udp", "MemErrors");
	return counters;
}

Result<PacketNetwork::Reading> PacketNetwork::read_counters()
{
	Reading reading;
	reading.to_function =
	    TRY(read_link(spaces_[kGenerator], kGeneratorEnd.name, spaces_[kFunction], kReceiveEnd.name));
	reading.to_sink = TRY(read_link(spaces_[kFunction], kForwardEnd.name, spaces_[kSink], kSinkEnd.name));
	reading.to_function.qdisc = TRY(spaces_[kGenerator].route->qdisc_drops());
	reading.to_sink.qdisc = TRY(spaces_[kFunction].route->qdisc_drops());
	if (plane_ == PacketPlane::af_packet)
		reading.to_function.ring = TRY(packet_statistics(receive_.get())).tp_drops;
	return reading;
}

Result<PacketNetwork::Losses> PacketNetwork::losses()
{
	Reading after = TRY(read_counters());
	before_.to_function.ring = 0;  // reading began it anew
	return Losses{loss_between(before_.to_function, after.to_function),
		      loss_between(before_.to_sink, after.to_sink)};
}

}  // namespace punctual
