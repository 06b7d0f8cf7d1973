// SPDX-License-Identifier: GPL-2.0-only
// Where the packets of a run over the kernel's network stack went, stage by stage, and whether the
// run may be believed. Plain values and pure functions.
//
// The kernel's counters do not know what is warm-up, so their account is of all packets of a run. The window's own
// account is by the packets themselves: each says when it was due. It is exact for every place but one: where a link
// lost packets in warm-up as well as in the window, and in several of the kernel's stages, nobody knows which were
// whose.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace punctual {

// Packets lost between a sender and the one who takes them out of the socket. The same loss shows in several of the
// kernel's counters; each packet is in one of these.
struct LinkLoss {
	uint64_t qdisc = 0;  // drops of the sender's queueing discipline
	// tx_dropped of the sender that is not rx_dropped of the receiver: the ring of the receiving device was full.
	// It has one where a feature of it (GRO, XDP) was switched on, which nobody does here: 0, unless somebody else
	// does.
	uint64_t veth = 0;
	uint64_t backlog = 0;  // the receiving CPU's backlog was full: rx_dropped of the receiver
	uint64_t socket = 0;   // UdpRcvbufErrors and UdpMemErrors of the receiver's namespace
	uint64_t ring = 0;     // tp_drops of a packet socket

	uint64_t total() const { return qdisc + veth + backlog + socket + ring; }
	bool operator==(const LinkLoss&) const = default;
};

// Of the packets that were due in the measured window.
struct WindowAccount {
	uint64_t scheduled = 0;
	uint64_t not_sent = 0;
	uint64_t sent = 0;
	uint64_t received = 0;
	uint64_t not_forwarded = 0;
	uint64_t forwarded = 0;
	uint64_t delivered = 0;

	uint64_t lost_to_function() const { return sent - received; }
	uint64_t lost_to_sink() const { return forwarded - delivered; }
	bool operator==(const WindowAccount&) const = default;
};

struct PacketAccount {
	std::string plane;
	WindowAccount window;
	uint64_t scheduled = 0;
	uint64_t not_sent = 0;  // refused by the kernel, or the generator was too late to send them at all
	uint64_t sent = 0;
	LinkLoss to_function;
	uint64_t received = 0;       // by the packet function
	uint64_t not_forwarded = 0;  // received, and refused by the kernel on the way out or too late (drain over)
	uint64_t forwarded = 0;
	LinkLoss to_sink;
	uint64_t delivered = 0;  // to the sink
	uint64_t duplicates = 0;
	uint64_t reordered = 0;  // behind a later one; delivered all the same
	uint64_t foreign = 0;    // packets that are not of this run

	uint64_t schedule_ns = 0;      // from the first packet's due time to the last one's
	uint64_t sending_ns = 0;       // from the first packet's due time until the last one was sent
	uint64_t lateness_p99_ns = 0;  // of the generator: when a packet was sent, less when it was due
	uint64_t lateness_max_ns = 0;
	uint64_t from_send_p99_ns = 0;   // latency counted from when it was sent; of the window
	uint64_t rcvbuf_bytes = 0;       // of the packet function's socket or ring
	uint64_t rcvbuf_packets = 0;     // what went into it before the first drop, counted before the run
	uint64_t generator_has_cpu = 0;  // 1: the generator had a CPU that the packet function may not use

	bool operator==(const PacketAccount&) const = default;
};

// Packets that nobody can account for, in the run and in its window; 0 or the run is invalid. Each part of the way
// counts by itself, so that what is too much in one cannot hide what is missing in another.
uint64_t residue(const PacketAccount& account);

// Of `lost` packets of the window on a link that lost `run` in the whole run, how many were lost in which stage;
// nullopt when that cannot be told.
std::optional<LinkLoss> window_loss(const LinkLoss& run, uint64_t lost);

// The share of the schedule that was sent at the speed of the schedule; 1 is all of it.
double achieved_ratio(const PacketAccount& account);

// Error (invalid) when packets are missing, or when the generator and not the packet function decided the figures:
// less than 99.5 % of the rate, or lateness p99 not below a tenth of the latency's p99 (0: no packet of the window came
// through, so that loss is all there is to tell).
Status judge_account(const PacketAccount& account, uint64_t latency_p99_ns);

// Adds another run of the same plane: counts are summed, of times the worst is kept.
void add_account(PacketAccount& total, const PacketAccount& run);

// One line for people, without the name of the arm.
std::string account_text(const PacketAccount& account);

// Every number by name, in the order of the way.
std::vector<std::pair<std::string, uint64_t*>> account_members(PacketAccount& account);

}  // namespace punctual
