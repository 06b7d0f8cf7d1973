// SPDX-License-Identifier: GPL-2.0-only
// The kernel's counters of lost packets, out of the texts in which it tells them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "bench/packet_account.h"

namespace punctual {

// Of /proc/net/snmp, for example "Udp", "RcvbufErrors". 0 where this kernel has no such counter.
uint64_t snmp_counter(std::string_view snmp, std::string_view protocol, std::string_view counter);

struct DeviceDrops {
	uint64_t received = 0;
	uint64_t sent = 0;
};

// Of /proc/net/dev. Error (failed) when the device is not in it.
Result<DeviceDrops> device_drops(std::string_view dev, std::string_view name);

// What both ends of a link count, since they were made.
struct LinkCounters {
	uint64_t qdisc = 0;
	uint64_t sender_tx_dropped = 0;
	uint64_t receiver_rx_dropped = 0;
	uint64_t socket = 0;
	uint64_t ring = 0;
};

// What was lost between two readings. A full backlog is counted by both devices: it is told once.
LinkLoss loss_between(const LinkCounters& before, const LinkCounters& after);

}  // namespace punctual
