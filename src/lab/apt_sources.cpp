// SPDX-License-Identifier: GPL-2.0-only
#include "lab/apt_sources.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <utility>

namespace punctual {
namespace {

struct Entry {
	std::vector<std::string> uris;
	std::vector<std::string> suites;
	std::vector<std::string> components;
	bool binary = true;  // not only sources
	bool enabled = true;
};

std::vector<std::string> words(std::string_view text)
{
	std::istringstream stream{std::string(text)};
	std::vector<std::string> found;
	for (std::string word; stream >> word;)
		found.push_back(word);
	return found;
}

template <typename Take>
void for_each_line(std::string_view text, Take take)
{
	while (!text.empty()) {
		const std::string_view line = text.substr(0, text.find('\n'));
		text.remove_prefix(std::min(line.size() + 1, text.size()));
		take(line);
	}
}

// deb [signed-by=... arch=amd64] URI SUITE COMPONENT...
std::vector<Entry> one_line_entries(std::string_view text)
{
	std::vector<Entry> entries;
	for_each_line(text, [&](std::string_view line) {
		std::vector<std::string> parts = words(line.substr(0, line.find('#')));
		if (parts.size() < 2 || parts[0] != "deb")
			return;
		auto next = parts.begin() + 1;
		if (next->starts_with('[')) {
			while (next != parts.end() && !next->ends_with(']'))
				++next;
			if (next != parts.end())
				++next;
		}
		if (parts.end() - next < 3)
			return;
		entries.push_back({{next[0]}, {next[1]}, {next + 2, parts.end()}});
	});
	return entries;
}

void take_field(Entry& entry, std::string_view name, std::string_view value)
{
	std::string lower(name);
	std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
	std::vector<std::string> values = words(value);
	if (lower == "uris")
		entry.uris = std::move(values);
	else if (lower == "suites")
		entry.suites = std::move(values);
	else if (lower == "components")
		entry.components = std::move(values);
	else if (lower == "types")
		entry.binary = std::ranges::find(values, "deb") != values.end();
	else if (lower == "enabled")
		entry.enabled = values.empty() || (values[0] != "no" && values[0] != "false");
}

// Stanzas of "Field: value" lines, separated by empty lines; a line that starts with a space continues a value.
std::vector<Entry> deb822_entries(std::string_view text)
{
	std::vector<Entry> entries;
	Entry entry;
	std::string name;
	std::string value;
	const auto end_field = [&] {
		take_field(entry, name, value);
		name.clear();
		value.clear();
	};
	for_each_line(text, [&](std::string_view line) {
		if (line.starts_with('#'))
			return;
		if (words(line).empty()) {
			end_field();
			entries.push_back(std::exchange(entry, {}));
		} else if (line.starts_with(' ') || line.starts_with('\t')) {
			value.append(" ").append(line);
		} else {
			end_field();
			const size_t colon = std::min(line.find(':'), line.size());
			name = line.substr(0, colon);
			value = line.substr(std::min(colon + 1, line.size()));
		}
	});
	end_field();
	entries.push_back(std::move(entry));
	return entries;
}

bool is_debian_suite(std::string_view suite)
{
	constexpr std::array<std::string_view, 9> kNames = {"bookworm", "trixie",  "forky",    "duke",     "sid",
							    "stable",   "testing", "unstable", "oldstable"};
	for (std::string_view ending : {"-backports", "-updates", "-proposed-updates"})
		if (suite.ends_with(ending))
			suite.remove_suffix(ending.size());
	return std::ranges::find(kNames, suite) != kNames.end();
}

bool is_main_archive(const Entry& entry)
{
	return entry.enabled && entry.binary && std::ranges::any_of(entry.suites, is_debian_suite) &&
	       std::ranges::find(entry.components, "main") != entry.components.end();
}

std::string_view without_slashes(std::string_view uri)
{
	while (uri.ends_with('/'))
		uri.remove_suffix(1);
	return uri;
}

}  // namespace

std::optional<std::string> debian_archive(const std::vector<AptSourceFile>& files)
{
	std::optional<std::string> other;
	for (const AptSourceFile& file : files) {
		for (const Entry& entry : file.deb822 ? deb822_entries(file.text) : one_line_entries(file.text)) {
			if (!is_main_archive(entry))
				continue;
			for (const std::string& uri : entry.uris) {
				const std::string_view clean = without_slashes(uri);
				// Third parties name their suites like Debian's too, so the path decides first.
				if (clean.ends_with("/debian"))
					return std::string(clean);
				if (!other)
					other = clean;
			}
		}
	}
	return other;
}

}  // namespace punctual
