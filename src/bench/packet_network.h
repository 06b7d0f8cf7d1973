// SPDX-License-Identifier: GPL-2.0-only
// The network of a trial: generator, packet function and sink, each in a network namespace without a
// name, joined by two pairs of virtual Ethernet devices. Only descriptors hold the namespaces, so all of
// it is gone when the last process that has them ends, however it ends. Nothing of the machine's own
// network is touched.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/fd.h"
#include "base/result.h"
#include "bench/link_counters.h"
#include "bench/packet_account.h"
#include "bench/packet_plane.h"
#include "bench/route_socket.h"

namespace punctual {

// The mapped ring of a packet socket: so many blocks, each filled by the kernel and given back by us.
struct PacketRingSize {
	uint32_t block_bytes = 0;
	uint32_t blocks = 0;
};

class PacketNetwork {
 public:
	// `ring_packets`: how many packets should fit in front of the packet function. Error (lacking) with the remedy.
	// REQUIRES: one thread, as it goes from namespace to namespace. REQUIRES: plane is not ring.
	static Result<PacketNetwork> create(PacketPlane plane, uint64_t ring_packets);

	// Sockets; children may use them.
	int generator_fd() const { return generator_.get(); }  // connected to the packet function
	int receive_fd() const { return receive_.get(); }      // of the packet function: UDP, or a packet socket
	int forward_fd() const { return forward_.get(); }      // of the packet function, connected to the sink
	int sink_fd() const { return sink_.get(); }
	PacketRingSize ring() const { return ring_; }  // of af_packet

	uint64_t rcvbuf_bytes() const { return rcvbuf_bytes_; }
	uint64_t rcvbuf_packets() const { return rcvbuf_packets_; }  // went into it before the first drop

	struct Losses {
		LinkLoss to_function;
		LinkLoss to_sink;
	};
	// Since it was created. Once, after all processes have ended.
	Result<Losses> losses();

 private:
	struct Space {  // a namespace
		UniqueFd fd;
		std::optional<RouteSocket> route;
	};
	struct Reading {
		LinkCounters to_function;
		LinkCounters to_sink;
	};
	explicit PacketNetwork(PacketPlane plane) : plane_(plane) {}
	Status make_spaces();
	Status make_links();
	Status open_sockets(uint64_t ring_packets);
	Result<UniqueFd> open_receiver(uint64_t ring_packets);
	Status probe_receiver(uint64_t ring_packets);
	Result<LinkCounters> read_link(const Space& sender, std::string_view sender_device, const Space& receiver,
				       std::string_view receiver_device) const;
	Result<Reading> read_counters();

	PacketPlane plane_;
	std::array<Space, 3> spaces_;  // generator, packet function, sink
	UniqueFd generator_;
	UniqueFd receive_;
	UniqueFd forward_;
	UniqueFd sink_;
	PacketRingSize ring_;
	uint64_t rcvbuf_bytes_ = 0;
	uint64_t rcvbuf_packets_ = 0;
	Reading before_;
};

}  // namespace punctual
