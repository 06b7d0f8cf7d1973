// SPDX-License-Identifier: GPL-2.0-only
#include "bench/link_counters.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <string>

namespace punctual {

// A line of names and a line of values, both with the protocol in front.
uint64_t snmp_counter(std::string_view snmp, std::string_view protocol, std::string_view counter)
{
	std::istringstream lines{std::string(snmp)};
	const std::string start = fmt::format("{}:", protocol);
	for (std::string names, values; std::getline(lines, names);) {
		if (!names.starts_with(start) || !std::getline(lines, values))
			continue;
		std::istringstream name_fields(names);
		std::istringstream value_fields(values);
		for (std::string name, value; name_fields >> name && value_fields >> value;)
			if (name == counter)
				return std::stoull(value);
	}
	return 0;
}

Result<DeviceDrops> device_drops(std::string_view dev, std::string_view name)
{
	constexpr size_t kReceivedAt = 3;  // bytes packets errs drop ..., eight to receive, then the same to send
	constexpr size_t kSentAt = 11;
	std::istringstream lines{std::string(dev)};
	for (std::string line; std::getline(lines, line);) {
		const size_t colon = line.find(':');
		if (colon == line.npos)
			continue;
		std::string device;
		std::istringstream(line.substr(0, colon)) >> device;
		if (device != name)
			continue;
		std::istringstream fields(line.substr(colon + 1));
		std::array<uint64_t, kSentAt + 1> values{};
		for (uint64_t& value : values)
			fields >> value;
		if (!fields)
			break;
		return DeviceDrops{values[kReceivedAt], values[kSentAt]};
	}
	return fail(ExitCode::failed, "no counters of the network device {} in /proc/net/dev", name);
}

LinkLoss loss_between(const LinkCounters& before, const LinkCounters& after)
{
	const uint64_t sender = after.sender_tx_dropped - before.sender_tx_dropped;
	const uint64_t receiver = after.receiver_rx_dropped - before.receiver_rx_dropped;
	LinkLoss loss;
	loss.qdisc = after.qdisc - before.qdisc;
	loss.veth = sender - std::min(sender, receiver);
	loss.backlog = receiver;
	loss.socket = after.socket - before.socket;
	loss.ring = after.ring - before.ring;
	return loss;
}

}  // namespace punctual
