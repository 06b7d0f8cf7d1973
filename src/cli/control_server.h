// SPDX-License-Identifier: GPL-2.0-only
// The guard's end of the control socket. Whoever is neither root nor in the group `punctual` (by the kernel's word on
// the peer, supplementary groups included) is refused when it connects. Hides sockets and credentials; nothing here
// waits for a client, and a client that says nothing is gone after two seconds.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "guard/control_request.h"

namespace punctual {

class ControlServer {
 public:
	using Answer = std::function<ControlReply(const ControlRequest&)>;

	// Takes the place of a socket that nobody listens to. Error (failed): somebody does, or it cannot be created.
	static Result<ControlServer> create(const std::filesystem::path& path);
	ControlServer(ControlServer&&) noexcept = default;
	ControlServer& operator=(ControlServer&&) = delete;
	~ControlServer();

	// Answers what has come since the last step; several times a second.
	void step(const Answer& answer);

	// The group may have been created or removed meanwhile. Reads a file.
	void look_for_group();

 private:
	struct Client {
		UniqueFd fd;
		std::chrono::steady_clock::time_point ends_at;
	};
	ControlServer(std::filesystem::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
	void accept_one(UniqueFd client);

	std::filesystem::path path_;  // empty: moved from
	UniqueFd fd_;
	std::optional<uint32_t> group_;
	std::vector<Client> clients_;  // at most kClientsMax
};

}  // namespace punctual
