// SPDX-License-Identifier: GPL-2.0-only
// Reading a state that one of our processes left as a JSON document. Such a file can be damaged or of another version:
// whatever is in it ends in an error, also what the JSON library reports by exception.
#pragma once

#include <algorithm>
#include <ranges>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace punctual {

// `read` makes a Result of the document. Errors (failed): no JSON, another schema or version, a key that is missing or
// of another type, and those of `read`.
template <typename Read>
auto read_json_document(std::string_view text, std::string_view schema, int version, Read read)
    -> decltype(read(nlohmann::ordered_json()))
{
	try {  // the JSON library reports by exception; it stops here
		const auto json = nlohmann::ordered_json::parse(text);
		if (json.at("schema") != schema || json.at("version") != version)
			return fail(ExitCode::failed, "it is not a {} document of version {}", schema, version);
		return read(json);
	} catch (const nlohmann::json::exception& error) {
		return fail(ExitCode::failed, "{}", error.what());
	}
}

// That of `values` whose name stands under `key`. Error (failed): none has it. Throws as the JSON library does, so only
// for what read_json_document calls.
template <std::ranges::input_range Values>
auto read_json_name(const nlohmann::ordered_json& json, const char* key, const Values& values,
		    std::string_view (*name)(std::ranges::range_value_t<Values>))
    -> Result<std::ranges::range_value_t<Values>>
{
	const std::string text = json.at(key).get<std::string>();
	const auto known = std::ranges::find(values, text, name);
	if (known == std::ranges::end(values))
		return fail(ExitCode::failed, "its {} is '{}', which is none", key, text);
	return *known;
}

}  // namespace punctual
