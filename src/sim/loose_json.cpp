// SPDX-License-Identifier: GPL-2.0-only
#include "sim/loose_json.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

namespace punctual::sim {
namespace {

constexpr size_t kTextMax = 4UL << 20, kDepthMax = 32, kValuesMax = 200'000;
constexpr double kNumberMax = 9e15;  // whole numbers up to here are exact

size_t end_of_string(std::string_view text, size_t at)
{
	for (at++; at < text.size() && text[at] != '"'; at++)
		at += text[at] == '\\';
	return std::min(at + 1, text.size());
}

// Where the comment ends that begins here; `at` itself: none does.
size_t end_of_comment(std::string_view text, size_t at)
{
	if (text.substr(at).starts_with("//"))
		return std::min(text.find('\n', at), text.size());
	if (!text.substr(at).starts_with("/*"))
		return at;
	const size_t end = text.find("*/", at + 2);
	return end == std::string_view::npos ? text.size() : end + 2;
}

// Where something is next that is neither blank nor comment.
size_t skip_blanks(std::string_view text, size_t at)
{
	for (size_t last = text.size(); at < text.size() && at != last;) {
		last = at;
		at = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
		at = end_of_comment(text, at);
	}
	return at;
}

// Without comments, and without commas that nothing follows; a key without a value gets an empty one. Lines stay.
std::string strict_of(std::string_view text)
{
	std::string strict;
	std::string open;  // brackets
	bool at_key = false;

	for (size_t at = 0; at < text.size();) {
		const char letter = text[at];
		if (const size_t end = end_of_comment(text, at); end != at) {
			strict.append(static_cast<size_t>(std::count(text.begin() + static_cast<ptrdiff_t>(at),
								     text.begin() + static_cast<ptrdiff_t>(end), '\n')),
				      '\n');
			at = end;
			continue;
		}
		const size_t end = letter == '"' ? end_of_string(text, at) : at + 1;
		const size_t next = skip_blanks(text, end);
		const char follows = next < text.size() ? text[next] : '\0';
		if (letter != ',' || (follows != '}' && follows != ']'))
			strict += text.substr(at, end - at);
		if (letter == '"' && at_key && follows != ':')
			strict += ":\"\"";
		if (letter == '{' || letter == '[')
			open += letter;
		else if ((letter == '}' || letter == ']') && !open.empty())
			open.pop_back();
		if (!std::string_view(" \t\r\n").contains(letter))
			at_key = (letter == '{' || letter == ',') && open.ends_with('{');
		at = end;
	}
	return strict;
}

// Called by nlohmann's parser; false ends it. Its own form keeps one value a key.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
	explicit Builder(JsonNode& root) : root_(root) {}

	bool null() override { return add({}); }
	bool boolean(bool value) override { return add({JsonKind::boolean, value, "", {}}); }
	bool number_integer(number_integer_t value) override { return number(static_cast<double>(value)); }
	bool number_unsigned(number_unsigned_t value) override { return number(static_cast<double>(value)); }
	bool number_float(number_float_t value, const string_t& /*text*/) override { return number(value); }
	bool string(string_t& value) override { return add({JsonKind::text, 0, value, {}}); }
	bool binary(binary_t& /*value*/) override { return refuse("not JSON"); }
	bool start_object(size_t /*size*/) override { return open(JsonKind::object); }
	bool start_array(size_t /*size*/) override { return open(JsonKind::list); }
	bool end_object() override { return close(); }
	bool end_array() override { return close(); }
	bool key(string_t& value) override
	{
		key_ = value;
		return true;
	}
	bool parse_error(size_t position, const std::string& last, const nlohmann::detail::exception& /*what*/) override
	{
		position_ = position;
		return refuse(last.empty() ? "it ends too early" : "JSON does not go on like this");
	}
	const char* problem() const { return problem_; }
	size_t position() const { return position_; }  // in bytes, from 1; 0: not known

 private:
	bool refuse(const char* problem)
	{
		problem_ = problem;
		return false;
	}

	bool number(double value)
	{
		if (!(std::abs(value) <= kNumberMax))
			return refuse("a number is too large");
		return add({JsonKind::number, static_cast<s64>(value), "", {}});
	}

	bool add(JsonNode node)
	{
		if (++nr_values_ > kValuesMax)
			return refuse("more values than 200000");
		if (open_.empty())
			root_ = std::move(node);
		else
			open_.back()->members.push_back({std::exchange(key_, ""), std::move(node)});
		return true;
	}

	// Only the innermost open node grows, so the addresses of the others stay.
	bool open(JsonKind kind)
	{
		if (open_.size() == kDepthMax)
			return refuse("more than 32 levels");
		JsonNode* parent = open_.empty() ? nullptr : open_.back();
		if (!add({kind, 0, "", {}}))
			return false;
		open_.push_back(parent ? &parent->members.back().value : &root_);
		return true;
	}

	bool close()
	{
		open_.pop_back();
		return true;
	}

	JsonNode& root_;
	std::vector<JsonNode*> open_;
	std::string key_;
	const char* problem_ = "not JSON";
	size_t position_ = 0;
	size_t nr_values_ = 0;
};

}  // namespace

const JsonNode* JsonNode::member(std::string_view key) const
{
	const auto found = std::ranges::find(members, key, &JsonMember::key);
	return found == members.end() ? nullptr : &found->value;
}

Result<JsonNode> parse_loose_json(std::string_view text, std::string_view file)
{
	JsonNode root;
	Builder builder(root);

	if (text.size() > kTextMax)
		return fail(ExitCode::usage, "{}:1: more than {} bytes", file, kTextMax);
	const std::string strict = strict_of(text);
	if (!nlohmann::json::sax_parse(strict, &builder)) {
		const auto end = strict.begin() + static_cast<ptrdiff_t>(std::min(builder.position(), strict.size()));
		return fail(ExitCode::usage, "{}:{}: {}", file, 1 + std::count(strict.begin(), end, '\n'),
			    builder.problem());
	}
	return root;
}

}  // namespace punctual::sim
