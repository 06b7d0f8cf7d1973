// SPDX-License-Identifier: GPL-2.0-only
// What the benchmark asks of rtnetlink: a pair of virtual Ethernet devices, addresses, fixed neighbours,
// drops of queueing disciplines. The socket belongs to the network namespace in which it was opened.
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace punctual {

struct EthernetEnd {
	std::string name;
	uint8_t mac_last;  // 02:00:00:00:00:xx, an address given by hand
};

class RouteSocket {
 public:
	static Result<RouteSocket> open();

	// One end here, the other in the namespace of `other_namespace` (a descriptor of it).
	Status add_veth(const EthernetEnd& here, const EthernetEnd& there, int other_namespace);
	Status set_up(unsigned index);
	Status add_address(unsigned index, uint32_t address, uint8_t prefix_bits);  // host order
	// Nobody has to be asked where `address` is.
	Status add_neighbour(unsigned index, uint32_t address, uint8_t mac_last);
	// All packets that queueing disciplines of the namespace dropped.
	Result<uint64_t> qdisc_drops();

 private:
	explicit RouteSocket(mnl_socket* socket) : socket_(socket, &mnl_socket_close) {}
	Status request(nlmsghdr* message, const std::string& what, mnl_cb_t callback = nullptr, void* data = nullptr);
	std::unique_ptr<mnl_socket, int (*)(mnl_socket*)> socket_;
	unsigned sequence_ = 0;
};

}  // namespace punctual
