// SPDX-License-Identifier: GPL-2.0-only
// Asks the guard that runs, over its control socket.
#pragma once

#include <filesystem>
#include <optional>

#include "base/result.h"
#include "guard/control_request.h"

namespace punctual {

// The socket of the guard whose state is in this folder: /run/punctual/control for the usual one, which every user may
// reach, else beside the state.
std::filesystem::path control_path(const std::filesystem::path& state_dir = "/var/lib/punctual");

// What the guard answers, its refusals included. nullopt: none listens there. Error (failed): it does not answer within
// 30 s, or not in our words.
Result<std::optional<ControlReply>> ask_guard(const ControlRequest& request,
					      const std::filesystem::path& path = control_path());

// For a user who is not root and so cannot do it alone: the data of the guard's reply. nullopt: root, or no guard is
// there, so go on without it. A refusal is an error.
Result<std::optional<std::string>> through_guard(const ControlRequest& request);

}  // namespace punctual
