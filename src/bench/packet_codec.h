// SPDX-License-Identifier: GPL-2.0-only
// What a packet of the benchmark carries, and how it is read back. Both ends are on one machine, so
// numbers are in its own order. Times are ns of the monotonic clock.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace punctual {

struct BenchPacket {
	static constexpr uint64_t kMagic = 0x70756e637475616cULL;  // "punctual"

	uint64_t magic = kMagic;
	uint64_t run_id = 0;
	uint64_t sequence = 0;      // from 0, also of warm-up packets
	uint64_t scheduled_ns = 0;  // when it was due
	uint64_t sent_ns = 0;       // when the generator sent it
	uint64_t done_ns = 0;       // when the packet function had done its work; 0 before
	uint64_t pad[2] = {};       // to the smallest size that is usual for UDP tests
};
constexpr size_t kPacketBytes = sizeof(BenchPacket);
static_assert(kPacketBytes == 64);

// nullopt: a packet of another run or of somebody else, or one that was cut.
inline std::optional<BenchPacket> decode_packet(std::span<const std::byte> payload, uint64_t run_id)
{
	BenchPacket packet;
	if (payload.size() != kPacketBytes)
		return std::nullopt;
	std::memcpy(&packet, payload.data(), kPacketBytes);
	if (packet.magic != BenchPacket::kMagic || packet.run_id != run_id)
		return std::nullopt;
	return packet;
}

// The UDP payload of an IPv4 packet, as a packet socket gives it. Empty: not UDP, a fragment, or cut.
inline std::span<const std::byte> udp_payload(std::span<const std::byte> ip)
{
	constexpr size_t kIpBytesMin = 20;
	constexpr size_t kUdpBytes = 8;
	const auto at = [ip](size_t i) { return std::to_integer<size_t>(ip[i]); };
	if (ip.size() < kIpBytesMin || at(0) >> 4 != 4 || at(9) != 17)
		return {};
	const size_t ip_bytes = (at(0) & 0xf) * 4;
	const bool is_fragment = ((at(6) << 8 | at(7)) & 0x3fff) != 0;
	if (is_fragment || ip_bytes < kIpBytesMin || ip.size() < ip_bytes + kUdpBytes)
		return {};
	const size_t udp_bytes = at(ip_bytes + 4) << 8 | at(ip_bytes + 5);
	if (udp_bytes < kUdpBytes || ip.size() < ip_bytes + udp_bytes)
		return {};
	return ip.subspan(ip_bytes + kUdpBytes, udp_bytes - kUdpBytes);
}

}  // namespace punctual
