// SPDX-License-Identifier: GPL-2.0-only
// JSON as people write it for rt-app: with comments, commas before a closing bracket, keys without a value (an empty
// text), and keys that occur several times in an object; their order counts. nlohmann's parser reads it; what is loose
// is mended before, line by line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "abi/types.h"
#include "base/result.h"

namespace punctual::sim {

enum class JsonKind : u8 { nothing, boolean, number, text, list, object };

struct JsonMember;

struct JsonNode {
	JsonKind kind = JsonKind::nothing;
	s64 number = 0;                   // a number, towards zero; a boolean as 0 or 1
	std::string text;                 // of JsonKind::text
	std::vector<JsonMember> members;  // of an object; of a list with empty keys

	const JsonNode* member(std::string_view key) const;  // the first one; none: there is none
};

struct JsonMember {
	std::string key;
	JsonNode value;
};

// Text of at most 4 MiB, 32 levels, 200,000 values. Errors (usage) begin with "FILE:LINE: ".
Result<JsonNode> parse_loose_json(std::string_view text, std::string_view file);

}  // namespace punctual::sim
