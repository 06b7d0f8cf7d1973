// SPDX-License-Identifier: GPL-2.0-only
#include "bench/route_socket.h"

#include <arpa/inet.h>
#include <linux/gen_stats.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include <array>
#include <cerrno>

namespace punctual {
namespace {

constexpr size_t kMessageBytes = 8192;
using Message = std::array<char, kMessageBytes>;

nlmsghdr* begin_message(Message& buffer, uint16_t type, unsigned flags)
{
	nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
	message->nlmsg_type = type;
	message->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
	return message;
}

void put_mac(nlmsghdr* message, uint16_t attribute, uint8_t last)
{
	const std::array<uint8_t, 6> mac = {2, 0, 0, 0, 0, last};
	mnl_attr_put(message, attribute, mac.size(), mac.data());
}

void put_end(nlmsghdr* message, const EthernetEnd& end)
{
	mnl_attr_put_strz(message, IFLA_IFNAME, end.name.c_str());
	put_mac(message, IFLA_ADDRESS, end.mac_last);
}

// The three below go down through the message of a qdisc, to add its drops to the uint64_t behind `data`.
int add_queue_drops(const nlattr* attribute, void* data)
{
	if (mnl_attr_get_type(attribute) == TCA_STATS_QUEUE &&
	    mnl_attr_get_payload_len(attribute) >= sizeof(gnet_stats_queue))
		*static_cast<uint64_t*>(data) +=
		    static_cast<const gnet_stats_queue*>(mnl_attr_get_payload(attribute))->drops;
	return MNL_CB_OK;
}

int add_statistics(const nlattr* attribute, void* data)
{
	return mnl_attr_get_type(attribute) == TCA_STATS2 ? mnl_attr_parse_nested(attribute, add_queue_drops, data)
							  : MNL_CB_OK;
}

int add_drops(const nlmsghdr* message, void* data)
{
	return mnl_attr_parse(message, sizeof(tcmsg), add_statistics, data);
}

}  // namespace

Result<RouteSocket> RouteSocket::open()
{
	RouteSocket opened(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
	if (opened.socket_ == nullptr || mnl_socket_bind(opened.socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0)
		return fail_errno(errno, ExitCode::lacking, "cannot open a netlink socket");
	return opened;
}

Status RouteSocket::request(nlmsghdr* message, const std::string& what, mnl_cb_t callback, void* data)
{
	message->nlmsg_seq = ++sequence_;
	mnl_socket* socket = socket_.get();
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return fail_errno(errno, ExitCode::lacking, what);
	const unsigned port = mnl_socket_get_portid(socket);
	alignas(nlmsghdr) Message answer;
	for (int more = MNL_CB_OK; more > MNL_CB_STOP;) {  // the kernel ends each answer
		const ssize_t bytes = mnl_socket_recvfrom(socket, answer.data(), answer.size());
		if (bytes < 0)
			return fail_errno(errno, ExitCode::lacking, what);
		more = mnl_cb_run(answer.data(), static_cast<size_t>(bytes), sequence_, port, callback, data);
		if (more < 0)
			return fail_errno(errno, ExitCode::lacking, what);
	}
	return {};
}

Status RouteSocket::add_veth(const EthernetEnd& here, const EthernetEnd& there, int other_namespace)
{
	alignas(nlmsghdr) Message buffer;
	nlmsghdr* message = begin_message(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
	mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg));
	put_end(message, here);
	nlattr* info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	nlattr* details = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	nlattr* peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg));
	put_end(message, there);
	mnl_attr_put_u32(message, IFLA_NET_NS_FD, static_cast<uint32_t>(other_namespace));
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, details);
	mnl_attr_nest_end(message, info);
	return request(message, fmt::format("cannot make the pair of devices {} and {} (does this kernel have veth? "
					    "try modprobe veth)",
					    here.name, there.name));
}

Status RouteSocket::set_up(unsigned index)
{
	alignas(nlmsghdr) Message buffer;
	nlmsghdr* message = begin_message(buffer, RTM_NEWLINK, NLM_F_ACK);
	auto* link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
	link->ifi_index = static_cast<int>(index);
	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	return request(message, "cannot set a network device up");
}

Status RouteSocket::add_address(unsigned index, uint32_t address, uint8_t prefix_bits)
{
	alignas(nlmsghdr) Message buffer;
	nlmsghdr* message = begin_message(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
	auto* header = static_cast<ifaddrmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)));
	header->ifa_family = AF_INET;
	header->ifa_prefixlen = prefix_bits;
	header->ifa_index = index;
	mnl_attr_put_u32(message, IFA_LOCAL, htonl(address));
	mnl_attr_put_u32(message, IFA_ADDRESS, htonl(address));
	return request(message, "cannot give a network device an address");
}

Status RouteSocket::add_neighbour(unsigned index, uint32_t address, uint8_t mac_last)
{
	alignas(nlmsghdr) Message buffer;
	nlmsghdr* message = begin_message(buffer, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
	auto* header = static_cast<ndmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ndmsg)));
	header->ndm_family = AF_INET;
	header->ndm_ifindex = static_cast<int>(index);
	header->ndm_state = NUD_PERMANENT;
	mnl_attr_put_u32(message, NDA_DST, htonl(address));
	put_mac(message, NDA_LLADDR, mac_last);
	return request(message, "cannot add a neighbour");
}

Result<uint64_t> RouteSocket::qdisc_drops()
{
	alignas(nlmsghdr) Message buffer;
	nlmsghdr* message = begin_message(buffer, RTM_GETQDISC, NLM_F_DUMP);
	auto* header = static_cast<tcmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(tcmsg)));
	header->tcm_family = AF_UNSPEC;
	uint64_t drops = 0;
	TRY(request(message, "cannot read the drops of queueing disciplines", add_drops, &drops));
	return drops;
}

}  // namespace punctual
