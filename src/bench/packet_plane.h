// SPDX-License-Identifier: GPL-2.0-only
// How packets reach the packet function: out of the emulated ring, or through the kernel's network stack.
#pragma once

#include <string_view>

#include "base/result.h"

namespace punctual {

enum class PacketPlane {
	ring,       // emulated: packet_ring.h
	udp,        // a blocking receive a packet
	recvmmsg,   // what is there, by one call
	af_packet,  // TPACKET_V3: the kernel writes into a mapped ring
};

// "ring", "udp", "recvmmsg" or "af_packet". Error (usage) names the choices.
Result<PacketPlane> parse_plane(std::string_view text);
std::string_view plane_name(PacketPlane plane);

}  // namespace punctual
