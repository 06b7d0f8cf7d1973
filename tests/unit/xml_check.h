// SPDX-License-Identifier: GPL-2.0-only
// A small strict reader of markup, for tests of what view writes: says what is wrong, or nothing.
// Knows elements, quoted attributes, text and entities; that is all that our SVG may use.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace punctual {

class XmlCheck {
 public:
	// Empty when `text` is one well-formed element (white space around it allowed).
	static std::string fault(std::string_view text)
	{
		XmlCheck check(text);
		return check.read();
	}

 private:
	explicit XmlCheck(std::string_view text) : rest_(text) {}

	std::string read()
	{
		bool seen = false;
		while (!rest_.empty()) {
			std::string fault = rest_.starts_with('<') ? read_tag() : read_text();
			if (!fault.empty())
				return fault;
			seen = true;
			if (open_.empty() && rest_.find_first_not_of(" \n") != std::string_view::npos)
				return "something follows the root element";
			if (open_.empty())
				break;
		}
		return !seen ? "empty" : open_.empty() ? "" : "element left open: " + open_.back();
	}

	std::string read_text()
	{
		size_t end = std::min(rest_.find('<'), rest_.size());
		std::string fault = bad_characters(rest_.substr(0, end));
		rest_.remove_prefix(end);
		return fault;
	}

	std::string read_tag()
	{
		rest_.remove_prefix(1);
		bool closes = rest_.starts_with('/');
		if (closes)
			rest_.remove_prefix(1);
		std::string name = read_name();
		if (name.empty())
			return "a tag without a name at: " + std::string(rest_.substr(0, 30));
		std::set<std::string> attributes;
		while (rest_.starts_with(' ') && !closes)
			if (std::string fault = read_attribute(attributes); !fault.empty())
				return fault + " in <" + name + ">";
		bool empty = rest_.starts_with("/>");
		if (!empty && !rest_.starts_with('>'))
			return "tag not ended: <" + name + " at: " + std::string(rest_.substr(0, 30));
		rest_.remove_prefix(empty ? 2 : 1);
		if (!closes && !empty)
			open_.push_back(name);
		if (!closes)
			return "";
		if (open_.empty() || open_.back() != name)
			return "</" + name + "> closes nothing";
		open_.pop_back();
		return "";
	}

	std::string read_attribute(std::set<std::string>& seen)
	{
		rest_.remove_prefix(1);
		std::string name = read_name();
		if (name.empty() || !rest_.starts_with("=\""))
			return "attribute without a quoted value";
		if (!seen.insert(name).second)
			return "attribute twice: " + name;
		rest_.remove_prefix(2);
		size_t end = rest_.find('"');
		if (end == std::string_view::npos)
			return "attribute value not ended: " + name;
		std::string_view value = rest_.substr(0, end);
		rest_.remove_prefix(end + 1);
		return value.find('<') != std::string_view::npos ? "'<' in " + name : bad_characters(value);
	}

	std::string read_name()
	{
		size_t end = 0;
		while (end < rest_.size() && (isalnum(static_cast<unsigned char>(rest_[end])) || rest_[end] == '-'))
			++end;
		std::string name(rest_.substr(0, end));
		rest_.remove_prefix(end);
		return name;
	}

	static std::string bad_characters(std::string_view text)
	{
		for (size_t at = 0; at < text.size(); ++at) {
			if (static_cast<unsigned char>(text[at]) < 0x20 && text[at] != '\n')
				return "control character";
			if (text[at] != '&')
				continue;
			size_t end = text.find(';', at);
			std::string_view entity = text.substr(at, end == std::string_view::npos ? end : end - at + 1);
			static const std::set<std::string_view> known{"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
			if (!known.contains(entity))
				return "unknown entity " + std::string(entity.substr(0, 12));
		}
		return "";
	}

	std::string_view rest_;
	std::vector<std::string> open_;
};

}  // namespace punctual
