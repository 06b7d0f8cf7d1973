// SPDX-License-Identifier: GPL-2.0-only
// The words of the guard's control socket: one request and one reply a connection, each a packet with a JSON object.
//
//     {"request": "budget_set", "cgroup": "vnf.slice", "latency": "60us", "cap": "30%"}
//     {"schema": "punctual.control", "version": 1, "code": 0, "text": "", "data": {...}}
//
// Whoever may connect may send anything. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace punctual {

constexpr size_t kRequestBytesMax = 4096;
constexpr size_t kReplyBytesMax = 128UL << 10;  // below the 208 KiB that a socket takes at once by default
constexpr const char* kControlGroup = "punctual";

enum class ControlKind { status, budget_list, budget_set, budget_clear, reload, unload, reset };

struct ControlRequest {
	ControlKind kind = ControlKind::status;
	std::string cgroup = {};  // of budget_set and budget_clear, with `latency` of the first
	std::string latency = {};
	std::string cap = {};  // may be empty

	bool operator==(const ControlRequest&) const = default;
};

// Error (usage) in one line: too long, no such object, an unknown request, a key that is missing or not its own.
Result<ControlRequest> parse_control_request(std::string_view text);
std::string control_request_json(const ControlRequest& request);

struct ControlReply {
	ExitCode code = ExitCode::ok;
	std::string text = {};      // one line; with another code the error
	std::string data = "null";  // a JSON document
};
std::string control_reply_json(const ControlReply& reply);
Result<ControlReply> parse_control_reply(std::string_view text);

// The kernel's word on who has connected: root may, and who is in the group, `control_gid`, if there is such a group.
bool may_control(uint32_t uid, uint32_t gid, std::span<const uint32_t> groups, std::optional<uint32_t> control_gid);

}  // namespace punctual
