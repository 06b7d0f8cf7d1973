// SPDX-License-Identifier: GPL-2.0-only
#include "bench/packet_plane.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace punctual {
namespace {

constexpr std::pair<std::string_view, PacketPlane> kPlanes[] = {
    {"ring", PacketPlane::ring},
    {"udp", PacketPlane::udp},
    {"recvmmsg", PacketPlane::recvmmsg},
    {"af_packet", PacketPlane::af_packet},
};

}  // namespace

Result<PacketPlane> parse_plane(std::string_view text)
{
	const auto* found = std::ranges::find(kPlanes, text, &std::pair<std::string_view, PacketPlane>::first);
	if (found == std::end(kPlanes))
		return fail(ExitCode::usage, "unknown packets '{}' (ring, udp, recvmmsg or af_packet)", text);
	return found->second;
}

std::string_view plane_name(PacketPlane plane)
{
	return std::ranges::find(kPlanes, plane, &std::pair<std::string_view, PacketPlane>::second)->first;
}

}  // namespace punctual
