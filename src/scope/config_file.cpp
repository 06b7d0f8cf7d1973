// SPDX-License-Identifier: GPL-2.0-only
#include "scope/config_file.h"

// One assertion of toml++ 3.3 does not hold for "[=", which it goes on to refuse as it should. It must neither
// abort nor, with NDEBUG, become a promise to the compiler.
#undef NDEBUG
#define TOML_ASSERT(condition) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

#include <optional>
#include <utility>

#include "base/file.h"

namespace punctual {
namespace {

constexpr size_t kSizeMax = 1UL << 20;

// "slice_ns = 2000000", "= '2ms'" and "= true" are the same as on the command line.
std::optional<std::string> scalar_text(const toml::node& node)
{
	if (const auto* text = node.as_string())
		return text->get();
	if (const auto* number = node.as_integer())
		return std::to_string(number->get());
	if (const auto* truth = node.as_boolean())
		return truth->get() ? "true" : "false";
	return std::nullopt;
}

// The place of a key, for errors: "FILE:LINE: NAME".
struct Place {
	std::string_view file;
	uint32_t line;
	std::string name;

	Place(std::string_view file_name, const toml::key& key, std::string_view table)
	    : file(file_name),
	      line(key.source().begin.line),
	      name(table.empty() ? std::string(key.str()) : fmt::format("{}.{}", table, key.str()))
	{}
	std::unexpected<Error> unknown(std::string_view known) const
	{
		return fail(ExitCode::usage, "{}:{}: unknown key '{}' (known: {})", file, line, name, known);
	}
	Result<std::string> text(const toml::node& node) const
	{
		std::optional<std::string> value = scalar_text(node);
		if (!value || value->empty())
			return fail(ExitCode::usage, "{}:{}: {} needs a value in quotes, not {}", file, line, name,
				    value ? "an empty one" : "a table, a list, a date or a fraction");
		return *value;
	}
	Result<const toml::table*> table(const toml::node& node) const
	{
		if (const toml::table* table = node.as_table())
			return table;
		return fail(ExitCode::usage, "{}:{}: {} is a table: write [{}] and its keys below", file, line, name,
			    name);
	}
};

Result<ConfigBudget> parse_budget_entry(const Place& place, const toml::key& cgroup, const toml::node& node)
{
	ConfigBudget budget{std::string(cgroup.str()), "", ""};
	const toml::table* table = node.as_table();
	if (!table) {
		budget.latency = TRY(place.text(node));
		return budget;
	}
	for (const auto& [key, value] : *table) {
		const Place inner(place.file, key, place.name);
		if (key == "latency")
			budget.latency = TRY(inner.text(value));
		else if (key == "cap")
			budget.cap = TRY(inner.text(value));
		else
			return inner.unknown("latency, cap; the name of a cgroup with dots goes in quotes");
	}
	if (budget.latency.empty())
		return fail(ExitCode::usage, "{}:{}: {} has no latency", place.file, place.line, place.name);
	return budget;
}

Status parse_table(const Place& place, const toml::table& table, ConfigFile* config)
{
	for (const auto& [key, value] : table) {
		const Place inner(place.file, key, place.name);
		if (place.name == "set")
			config->set.push_back(fmt::format("{}={}", key.str(), TRY(inner.text(value))));
		else
			config->budgets.push_back(TRY(parse_budget_entry(inner, key, value)));
	}
	return {};
}

// The text in ASCII: toml++ 3.3 has undefined behaviour at some other letters outside of quotes, where it
// should refuse them. In comments they become '?'; in quotes TOML has another way to write them.
Result<std::string> ascii_text(std::string_view text, std::string_view file_name)
{
	std::string ascii(text.substr(text.starts_with("\xef\xbb\xbf") ? 3 : 0));
	uint32_t line = 1;
	std::string_view end_mark;  // of the quotes or the comment that we are in
	for (size_t at = 0; at < ascii.size(); at++) {
		const std::string_view rest = std::string_view(ascii).substr(at);
		line += rest.front() == '\n';
		if (static_cast<unsigned char>(rest.front()) >= 0x80) {
			if (end_mark != "\n")
				return fail(ExitCode::usage,
					    "{}:{}: a letter beyond ASCII (write it as \"\\u00e9\", in quotes)",
					    file_name, line);
			ascii[at] = '?';
		} else if (end_mark.empty()) {
			for (const std::string_view quote : {"\"\"\"", "'''", "\"", "'", "#"})
				if (end_mark.empty() && rest.starts_with(quote))
					end_mark = quote == "#" ? "\n" : quote;
			at += end_mark.empty() ? 0 : end_mark.size() - 1;
		} else if (end_mark.front() == '"' && (rest.starts_with("\\\\") || rest.starts_with("\\\""))) {
			at++;  // escaped, so it ends nothing
		} else if (rest.starts_with(end_mark)) {
			at += std::exchange(end_mark, {}).size() - 1;
		}
	}
	return ascii;
}

Result<toml::table> parse_toml(std::string_view text, std::string_view file_name)
{
	toml::parse_result parsed = toml::parse(TRY(ascii_text(text, file_name)), file_name);
	if (!parsed)
		return fail(ExitCode::usage, "{}:{}: {}", file_name, parsed.error().source().begin.line,
			    parsed.error().description());
	return std::move(parsed).table();
}

}  // namespace

Result<ConfigFile> parse_config(std::string_view text, std::string_view file_name)
{
	const toml::table table = TRY(parse_toml(text, file_name));
	ConfigFile config;
	for (const auto& [key, value] : table) {
		const Place place(file_name, key, "");
		if (key == "cpus")
			config.cpus = TRY(place.text(value));
		else if (key == "floor")
			config.floor = TRY(place.text(value));
		else if (key == "timeout")
			config.timeout = TRY(place.text(value));
		else if (key == "set" || key == "budgets")
			TRY(parse_table(place, *TRY(place.table(value)), &config));
		else
			return place.unknown("cpus, floor, timeout, [set], [budgets]");
	}
	return config;
}

Result<ConfigFile> read_config(const std::filesystem::path& path)
{
	auto text = read_file(path, kSizeMax);
	if (!text)
		return fail(ExitCode::usage, "{}", text.error().what);
	return parse_config(*text, path.native());
}

}  // namespace punctual
