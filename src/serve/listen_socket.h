// SPDX-License-Identifier: GPL-2.0-only
// Where a server listens: an address that the operator gave, or a socket that systemd hands over.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace punctual {

struct ListenAddress {
	sockaddr_storage address = {};
	socklen_t length = 0;
	std::string text;  // as given
};

// "127.0.0.1:9766" or "[::1]:9766"; port 0: the kernel chooses one. Error (usage): names of hosts are not looked up.
Result<ListenAddress> parse_listen(std::string_view text);

// Error (failed), with the remedy: somebody else listens there.
Result<UniqueFd> listen_on(const ListenAddress& address);

// The one socket that systemd passed to this process; nullopt: none. Error (usage): several, or one that does not
// listen.
Result<std::optional<UniqueFd>> passed_socket();

// Only processes of this machine can reach it: a loopback address, or a socket in the file system.
bool is_local(int listening_fd);

// "http://127.0.0.1:9766", with the port that the kernel chose.
std::string url_of(int listening_fd);

}  // namespace punctual
