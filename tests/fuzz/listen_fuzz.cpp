// SPDX-License-Identifier: GPL-2.0-only
// Where to listen comes from a command line, the Host header from anybody. An address that is taken has a family that
// is known; a host that is said to be this machine holds nothing but letters of "localhost", or an address.
#include <cstdlib>
#include <string_view>

#include "serve/http_server.h"
#include "serve/listen_socket.h"

using namespace punctual;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
	const std::string_view text(reinterpret_cast<const char*>(data), size);
	if (const Result<ListenAddress> listen = parse_listen(text)) {
		const int family = listen->address.ss_family;
		if (listen->text != text || (family != AF_INET && family != AF_INET6))
			abort();
	}
	if (names_this_machine(text) && !text.starts_with("localhost") && !text.starts_with("127.") &&
	    !text.starts_with("[::1]"))
		abort();
	return 0;
}
