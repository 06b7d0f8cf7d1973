// SPDX-License-Identifier: GPL-2.0-only
// The address of a unix socket by its path, for both of its ends.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <filesystem>

#include "base/result.h"

namespace punctual {

class ControlAddress {
 public:
	// Error (usage): the path is longer than the kernel's 107 bytes.
	static Result<ControlAddress> of(const std::filesystem::path& path)
	{
		ControlAddress address;
		if (path.native().size() >= sizeof(address.address_.sun_path))
			return fail(ExitCode::usage, "{} is too long for a socket: at most {} bytes", path.native(),
				    sizeof(address.address_.sun_path) - 1);
		std::ranges::copy(path.native(), address.address_.sun_path);
		return address;
	}
	const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }

 private:
	ControlAddress() : address_{.sun_family = AF_UNIX, .sun_path = {}} {}
	sockaddr_un address_;
};

}  // namespace punctual
