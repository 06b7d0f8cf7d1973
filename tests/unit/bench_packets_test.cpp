// SPDX-License-Identifier: GPL-2.0-only
// Real packets, as far as no network is needed: what is in them, which counter stands for which loss, and when a run
// may be believed.
#include <array>
#include <bit>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "bench/link_counters.h"
#include "bench/packet_account.h"
#include "bench/packet_codec.h"
#include "bench/packet_plane.h"
#include "bench/result_json.h"

namespace punctual {
namespace {

constexpr uint64_t kRun = 42;

std::array<std::byte, kPacketBytes> payload_of(const BenchPacket& packet)
{
	return std::bit_cast<std::array<std::byte, kPacketBytes>>(packet);
}

BenchPacket packet_of(uint64_t sequence)
{
	BenchPacket packet;
	packet.run_id = kRun;
	packet.sequence = sequence;
	packet.scheduled_ns = 1000 * sequence;
	return packet;
}

// Of an IPv4 packet with `options` bytes of options, a UDP header and the payload.
std::vector<std::byte> ip_packet(std::span<const std::byte> payload, size_t options = 0)
{
	std::vector<std::byte> ip(20 + options + 8);
	ip[0] = static_cast<std::byte>(0x40 | (20 + options) / 4);
	ip[9] = std::byte{17};
	ip[20 + options + 5] = static_cast<std::byte>(8 + payload.size());
	ip.insert(ip.end(), payload.begin(), payload.end());
	return ip;
}

// 1000 packets, one lost at each stage, and every one of them accounted for.
PacketAccount one_lost_everywhere()
{
	PacketAccount account;
	account.plane = "udp";
	account.scheduled = 1000;
	account.not_sent = 1;
	account.sent = 999;
	account.to_function = {1, 1, 1, 1, 1};
	account.received = 994;
	account.not_forwarded = 1;
	account.forwarded = 993;
	account.to_sink = {1, 1, 1, 1, 0};
	account.delivered = 988;
	account.duplicates = 1;
	account.window = {500, 1, 499, 494, 1, 493, 488};  // all that was lost was due in the window
	account.schedule_ns = 1'000'000;
	account.sending_ns = 1'000'000;
	account.lateness_p99_ns = 1000;
	return account;
}

TEST(Packet, IsReadBackOnlyByItsOwnRun)
{
	const auto payload = payload_of(packet_of(7));
	ASSERT_TRUE(decode_packet(payload, kRun));
	EXPECT_EQ(decode_packet(payload, kRun)->sequence, 7U);
	EXPECT_EQ(decode_packet(payload, kRun)->scheduled_ns, 7000U);
	EXPECT_FALSE(decode_packet(payload, kRun + 1));  // the probe of the buffer, or an earlier run
}

TEST(Packet, CutOrForeignIsRefused)
{
	auto payload = payload_of(packet_of(7));
	EXPECT_FALSE(decode_packet(std::span(payload).first(kPacketBytes - 1), kRun));
	EXPECT_FALSE(decode_packet({}, kRun));
	payload[0] ^= std::byte{1};
	EXPECT_FALSE(decode_packet(payload, kRun));
}

TEST(Packet, IsFoundBehindAnIpHeaderOfAnyLength)
{
	const auto payload = payload_of(packet_of(9));
	for (const size_t options : {0, 4, 40}) {
		const std::vector<std::byte> ip = ip_packet(payload, options);
		ASSERT_EQ(udp_payload(ip).size(), kPacketBytes) << options;
		EXPECT_EQ(decode_packet(udp_payload(ip), kRun)->sequence, 9U);
	}
}

TEST(Packet, HeadersThatPromiseTooMuchGiveNothing)
{
	const auto payload = payload_of(packet_of(9));
	const std::vector<std::byte> ip = ip_packet(payload);
	for (size_t bytes = 0; bytes < ip.size(); bytes++)
		EXPECT_TRUE(udp_payload(std::span(ip).first(bytes)).empty()) << bytes;
	for (const auto& [at, value] : {std::pair{0, 0x65}, {0, 0x44}, {9, 6}, {6, 0x20}, {25, 7}}) {
		std::vector<std::byte> changed = ip;  // IPv6, a short header, TCP, a fragment, a short datagram
		changed[static_cast<size_t>(at)] = static_cast<std::byte>(value);
		EXPECT_TRUE(udp_payload(changed).empty()) << at;
	}
}

TEST(PacketAccount, EveryLossInOneStageLeavesNoResidue)
{
	EXPECT_EQ(residue(one_lost_everywhere()), 0U);
}

TEST(PacketAccount, APacketMoreOrLessAnywhereIsResidue)
{
	for (const auto& [name, value] : account_members(*std::make_unique<PacketAccount>()))
		for (const int change : {-1, 1}) {
			PacketAccount account = one_lost_everywhere();
			for (const auto& [other, place] : account_members(account))
				if (other == name)
					*place += static_cast<uint64_t>(change);
			const bool is_stage = name != "reordered" && name != "foreign" && !name.ends_with("_ns") &&
					      !name.starts_with("rcvbuf") && name != "generator_has_cpu";
			// One that arrived although it counts as lost may have been lost in warm-up.
			const bool may_be = name == "window_delivered" && change == 1;
			EXPECT_EQ(residue(account) != 0, is_stage && !may_be) << name;
		}
}

TEST(PacketAccount, TheWindowMayLoseLessThanTheRunButNotMore)
{
	PacketAccount account = one_lost_everywhere();
	account.window = {500, 0, 500, 500, 0, 500, 500};
	EXPECT_EQ(residue(account), 0U);
	account.window.delivered = 494;  // six: the whole run lost four on that link, and one came twice
	EXPECT_EQ(residue(account), 1U);
}

TEST(PacketAccount, StagesOfTheWindowAreToldWhereTheyCanBe)
{
	constexpr LinkLoss kOneStage{.socket = 9};
	constexpr LinkLoss kTwoStages{.qdisc = 4, .socket = 5};
	EXPECT_EQ(window_loss(kOneStage, 3), (LinkLoss{.socket = 3}));
	EXPECT_EQ(window_loss(kTwoStages, 9), kTwoStages);
	EXPECT_EQ(window_loss(kTwoStages, 8), std::nullopt);
	EXPECT_EQ(window_loss({}, 0), LinkLoss());
}

TEST(PacketAccount, WhatIsMissingHereIsNotHiddenByTooMuchThere)
{
	PacketAccount account = one_lost_everywhere();
	account.to_function.socket++;  // counted twice
	account.to_sink.veth--;        // not counted
	EXPECT_EQ(residue(account), 2U);
	EXPECT_EQ(judge_account(account, 1'000'000).error().code, ExitCode::invalid);
}

TEST(PacketAccount, AGeneratorTooSlowOrTooLateMakesTheRunInvalid)
{
	PacketAccount account = one_lost_everywhere();
	EXPECT_TRUE(judge_account(account, 10'001));
	EXPECT_EQ(judge_account(account, 10'000).error().code, ExitCode::invalid);  // not below a tenth
	account.lateness_p99_ns = 0;
	account.sending_ns = 1'003'000;  // 99.6 % of the packets so far: 99.9 %, times 1/1.003
	EXPECT_TRUE(judge_account(account, 10'000));
	account.sending_ns = 1'005'000;  // everything was sent, but not at that rate
	const Status slow = judge_account(account, 10'000);
	ASSERT_FALSE(slow);
	EXPECT_EQ(slow.error().code, ExitCode::invalid);
	EXPECT_NE(slow.error().what.find("generator-limited"), std::string::npos);
}

TEST(PacketAccount, APacketFunctionThatLosesEverythingIsNotTheGeneratorsFault)
{
	PacketAccount account = one_lost_everywhere();
	account.to_function.socket += account.received;
	account.received = account.not_forwarded = account.forwarded = account.delivered = account.duplicates = 0;
	account.to_sink = {};
	account.window = {500, 1, 499, 0, 0, 0, 0};
	EXPECT_TRUE(judge_account(account, 0));
}

TEST(PacketAccount, SeveralRunsAddUpAndKeepTheWorstTimes)
{
	PacketAccount late = one_lost_everywhere();
	late.lateness_p99_ns = 5000;
	late.rcvbuf_packets = 256;
	PacketAccount total;
	add_account(total, late);
	PacketAccount other = one_lost_everywhere();
	other.rcvbuf_packets = 250;
	add_account(total, other);
	EXPECT_EQ(total.plane, "udp");
	EXPECT_EQ(total.scheduled, 2000U);
	EXPECT_EQ(residue(total), 0U);
	EXPECT_EQ(total.lateness_p99_ns, 5000U);
	EXPECT_EQ(total.rcvbuf_packets, 250U);
}

TEST(LinkCounters, AFullBacklogIsToldOnce)
{
	// Both devices count it; the rest of what the sender's counts was lost on its own side.
	const LinkLoss loss = loss_between({0, 10, 10, 0, 0}, {0, 17, 15, 0, 0});
	EXPECT_EQ(loss, (LinkLoss{.veth = 2, .backlog = 5}));
}

TEST(LinkCounters, AreReadFromTheKernelsTexts)
{
	constexpr std::string_view kSnmp =
	    "Ip: Forwarding InReceives\nIp: 1 9\n"
	    "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors\n"
	    "Udp: 5 1 77 8 70\n"
	    "UdpLite: InDatagrams RcvbufErrors\nUdpLite: 1 2\n";
	EXPECT_EQ(snmp_counter(kSnmp, "Udp", "RcvbufErrors"), 70U);  // not InErrors, which contains it
	EXPECT_EQ(snmp_counter(kSnmp, "Udp", "MemErrors"), 0U);      // older kernels
	constexpr std::string_view kDev =
	    "Inter-|   Receive                            |  Transmit\n"
	    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo\n"
	    "    lo:       1       2    3    4    5     6          7         8       9      10   11   12    0 0 0 0\n"
	    "  sink:      11      12   13   14   15    16         17        18      19      20   21   22    0 0 0 0\n";
	const Result<DeviceDrops> drops = device_drops(kDev, "sink");
	ASSERT_TRUE(drops);
	EXPECT_EQ(drops->received, 14U);
	EXPECT_EQ(drops->sent, 22U);
	EXPECT_FALSE(device_drops(kDev, "in"));
}

TEST(PacketPlane, EveryNameReadsBackAndOthersAreRefused)
{
	for (const std::string_view name : {"ring", "udp", "recvmmsg", "af_packet"})
		EXPECT_EQ(plane_name(*parse_plane(name)), name);
	EXPECT_EQ(parse_plane("dpdk").error().code, ExitCode::usage);
}

TEST(PacketAccount, SurvivesTheJsonDocument)
{
	BenchResult result;
	ArmResult arm;
	arm.name = "eevdf";
	arm.packets = one_lost_everywhere();
	result.arms = {arm, ArmResult{}};
	const Result<BenchResult> back = bench_from_json(bench_to_json(result));
	ASSERT_TRUE(back);
	EXPECT_EQ(back->arms[0].packets, arm.packets);
	EXPECT_FALSE(back->arms[1].packets);  // the emulated ring has none
}

}  // namespace
}  // namespace punctual
