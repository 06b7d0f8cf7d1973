// SPDX-License-Identifier: GPL-2.0-only
#include "serve/listen_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include <systemd/sd-daemon.h>

namespace punctual {
namespace {

constexpr int kBacklog = 64;

struct HostPort {
	std::string host;
	bool is_ipv6 = false;
	in_port_t port = 0;
};

std::optional<HostPort> split(std::string_view text)
{
	HostPort parts;
	const size_t colon = text.rfind(':');
	if (colon == std::string_view::npos)
		return std::nullopt;
	std::string_view host = text.substr(0, colon);
	const std::string_view port = text.substr(colon + 1);
	const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), parts.port);
	if (port.empty() || error != std::errc() || end != port.data() + port.size())
		return std::nullopt;
	parts.is_ipv6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
	parts.host = parts.is_ipv6 ? host.substr(1, host.size() - 2) : host;
	return parts;
}

struct BoundAddress {
	sockaddr_storage storage = {};

	int family() const { return storage.ss_family; }
	sockaddr_in ipv4() const { return read<sockaddr_in>(); }
	sockaddr_in6 ipv6() const { return read<sockaddr_in6>(); }

 private:
	template <typename Address>
	Address read() const
	{
		Address address;
		std::memcpy(&address, &storage, sizeof(address));
		return address;
	}
};

BoundAddress address_of(int fd)
{
	BoundAddress bound;
	socklen_t length = sizeof(bound.storage);
	if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &length) != 0)
		bound.storage.ss_family = AF_UNSPEC;
	return bound;
}

}  // namespace

Result<ListenAddress> parse_listen(std::string_view text)
{
	const auto wrong = [&] {
		return fail(ExitCode::usage, "--listen '{}' is no ADDRESS:PORT, such as 127.0.0.1:9766 or [::1]:9766",
			    text);
	};
	const std::optional<HostPort> parts = split(text);
	if (!parts)
		return wrong();
	ListenAddress listen{.text = std::string(text)};
	if (parts->is_ipv6) {
		sockaddr_in6 address = {};
		address.sin6_family = AF_INET6;
		address.sin6_port = htons(parts->port);
		if (::inet_pton(AF_INET6, parts->host.c_str(), &address.sin6_addr) != 1)
			return wrong();
		listen.length = sizeof(address);
		std::memcpy(&listen.address, &address, sizeof(address));
	} else {
		sockaddr_in address = {};
		address.sin_family = AF_INET;
		address.sin_port = htons(parts->port);
		if (::inet_pton(AF_INET, parts->host.c_str(), &address.sin_addr) != 1)
			return wrong();
		listen.length = sizeof(address);
		std::memcpy(&listen.address, &address, sizeof(address));
	}
	return listen;
}

Result<UniqueFd> listen_on(const ListenAddress& address)
{
	UniqueFd fd(::socket(address.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (!fd)
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot listen on {}", address.text));
	const int on = 1;  // else the port is taken for a minute after a restart
	(void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address.address), address.length) != 0 ||
	    ::listen(fd.get(), kBacklog) != 0) {
		const char* remedy =
		    errno == EADDRINUSE ? " (ss -ltnp names who does; --listen takes another port)" : "";
		return fail_errno(errno, ExitCode::failed, fmt::format("cannot listen on {}{}", address.text, remedy));
	}
	return fd;
}

Result<std::optional<UniqueFd>> passed_socket()
{
	const int nr = ::sd_listen_fds(1);  // takes the variables away: children are not to see them
	if (nr <= 0)
		return std::nullopt;
	UniqueFd fd(SD_LISTEN_FDS_START);
	if (nr > 1)
		return fail(ExitCode::usage,
			    "{} sockets were passed, and serve takes one: give its .socket unit one "
			    "ListenStream=",
			    nr);
	if (::sd_is_socket(fd.get(), AF_UNSPEC, SOCK_STREAM, 1) <= 0)
		return fail(ExitCode::usage,
			    "what was passed is no listening stream socket: its .socket unit needs "
			    "ListenStream= and Accept=no");
	return std::optional(std::move(fd));
}

bool is_local(int listening_fd)
{
	const BoundAddress bound = address_of(listening_fd);
	switch (bound.family()) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(bound.ipv4().sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	case AF_INET6: {
		const sockaddr_in6 address = bound.ipv6();
		return IN6_IS_ADDR_LOOPBACK(&address.sin6_addr);
	}
	default:
		return false;
	}
}

std::string url_of(int listening_fd)
{
	const BoundAddress bound = address_of(listening_fd);
	char host[INET6_ADDRSTRLEN] = {};
	if (bound.family() == AF_INET) {
		const sockaddr_in address = bound.ipv4();
		::inet_ntop(AF_INET, &address.sin_addr, host, sizeof(host));
		return fmt::format("http://{}:{}", host, ntohs(address.sin_port));
	}
	if (bound.family() == AF_INET6) {
		const sockaddr_in6 address = bound.ipv6();
		::inet_ntop(AF_INET6, &address.sin6_addr, host, sizeof(host));
		return fmt::format("http://[{}]:{}", host, ntohs(address.sin6_port));
	}
	return "a passed socket";
}

}  // namespace punctual
