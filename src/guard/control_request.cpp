// SPDX-License-Identifier: GPL-2.0-only
#include "guard/control_request.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

namespace punctual {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "punctual.control";
constexpr int kVersion = 1;
constexpr size_t kValueMax = 1024;
constexpr std::array<std::pair<std::string_view, ControlKind>, 7> kKinds = {
    {{"status", ControlKind::status},
     {"budget_list", ControlKind::budget_list},
     {"budget_set", ControlKind::budget_set},
     {"budget_clear", ControlKind::budget_clear},
     {"reload", ControlKind::reload},
     {"unload", ControlKind::unload},
     {"reset", ControlKind::reset}}};

struct Field {
	const char* key;
	std::string ControlRequest::* member;
	bool is_needed;
};

// What belongs to a request beside its name.
std::span<const Field> fields_of(ControlKind kind)
{
	static constexpr Field kSet[] = {{"cgroup", &ControlRequest::cgroup, true},
					 {"latency", &ControlRequest::latency, true},
					 {"cap", &ControlRequest::cap, false}};
	if (kind == ControlKind::budget_set)
		return kSet;
	return kind == ControlKind::budget_clear ? std::span(kSet).first(1) : std::span<const Field>();
}

// Values are words of an operator: they end up in messages of one line.
Result<std::string> value_of(const Json& json, const char* key)
{
	const std::string text = json.is_string() ? json.get<std::string>() : "";
	const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
	if (text.empty() || text.size() > kValueMax || std::ranges::any_of(text, is_control))
		return fail(ExitCode::usage, "'{}' of a request is a text of 1 to {} letters", key, kValueMax);
	return text;
}

Result<ControlRequest> request_from(const Json& json)
{
	if (!json.is_object() || !json.contains("request"))
		return fail(ExitCode::usage, "a request is an object with the key 'request'");
	const std::string name = TRY(value_of(json.at("request"), "request"));
	const auto kind = std::ranges::find(kKinds, name, &decltype(kKinds)::value_type::first);
	if (kind == kKinds.end())
		return fail(ExitCode::usage,
			    "unknown request (known: status, budget_list, budget_set, budget_clear, reload, unload, "
			    "reset)");
	ControlRequest request{.kind = kind->second};
	size_t nr_keys = 1;
	for (const Field& field : fields_of(request.kind)) {
		if (!json.contains(field.key) && !field.is_needed)
			continue;
		if (!json.contains(field.key))
			return fail(ExitCode::usage, "request {} needs the key '{}'", name, field.key);
		request.*field.member = TRY(value_of(json.at(field.key), field.key));
		nr_keys++;
	}
	if (json.size() != nr_keys)
		return fail(ExitCode::usage, "request {} has a key that is not its own", name);
	return request;
}

}  // namespace

Result<ControlRequest> parse_control_request(std::string_view text)
{
	if (text.size() > kRequestBytesMax)
		return fail(ExitCode::usage, "a request has at most {} bytes", kRequestBytesMax);
	const Json json = Json::parse(text, nullptr, false);
	if (json.is_discarded())
		return fail(ExitCode::usage, "a request is one JSON object");
	return request_from(json);
}

std::string control_request_json(const ControlRequest& request)
{
	const auto kind = std::ranges::find(kKinds, request.kind, &decltype(kKinds)::value_type::second);
	Json json = {{"request", kind->first}};
	for (const Field& field : fields_of(request.kind))
		if (!(request.*field.member).empty())
			json[field.key] = request.*field.member;
	return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string control_reply_json(const ControlReply& reply)
{
	Json json = {{"schema", kSchema},
		     {"version", kVersion},
		     {"code", std::to_underlying(reply.code)},
		     {"text", reply.text},
		     {"data", Json::parse(reply.data, nullptr, false)}};
	return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ControlReply> parse_control_reply(std::string_view text)
{
	const Json json = Json::parse(text, nullptr, false);
	if (!json.is_object() || json.value("schema", Json()) != kSchema || json.value("version", Json()) != kVersion ||
	    !json.value("code", Json()).is_number_unsigned() || !json.value("text", Json()).is_string() ||
	    !json.contains("data"))
		return fail(ExitCode::failed, "the guard's reply is none of version {}; are both of one version?",
			    kVersion);
	return ControlReply{static_cast<ExitCode>(json["code"].get<uint8_t>()), json["text"].get<std::string>(),
			    json["data"].dump()};
}

bool may_control(uint32_t uid, uint32_t gid, std::span<const uint32_t> groups, std::optional<uint32_t> control_gid)
{
	return uid == 0 ||
	       (control_gid && (gid == *control_gid || std::ranges::find(groups, *control_gid) != groups.end()));
}

}  // namespace punctual
