// SPDX-License-Identifier: GPL-2.0-only
#include "scope/config_file.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/file.h"
#include "base/toml_document.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSizeMax = 1UL << 20;
constexpr size_t kDropInsMax = 100;

using Member = std::pair<std::string_view, ConfigValue ConfigFile::*>;
constexpr Member kTop[] = {{"scheduler", &ConfigFile::scheduler},
			   {"cpus", &ConfigFile::cpus},
			   {"floor", &ConfigFile::floor},
			   {"timeout", &ConfigFile::timeout}};
constexpr Member kOfGuard[] = {
    {"on_fallback", &ConfigFile::on_fallback}, {"webhook", &ConfigFile::webhook}, {"metrics", &ConfigFile::metrics}};

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
	std::string text() const { return fmt::format("{}:{}: {}", file, line, name); }
	std::unexpected<Error> unknown(std::string_view known) const
	{
		return fail(ExitCode::usage, "{}:{}: unknown key '{}' (known: {})", file, line, name, known);
	}
	Result<ConfigValue> value(const toml::node& node) const
	{
		std::optional<std::string> value = scalar_text(node);
		if (!value || value->empty())
			return fail(ExitCode::usage, "{}:{}: {} needs a value in quotes, not {}", file, line, name,
				    value ? "an empty one" : "a table, a list, a date or a fraction");
		return ConfigValue{std::move(*value), text()};
	}
	Result<ConfigValue> truth(const toml::node& node) const
	{
		if (!node.is_boolean())
			return fail(ExitCode::usage, "{}: write true or false, without quotes", text());
		return value(node);
	}
	Result<std::vector<ConfigValue>> list(const toml::node& node) const
	{
		const toml::array* array = node.as_array();
		if (!array)
			return fail(ExitCode::usage, "{}: write a list, [\"...\", \"...\"]", text());
		std::vector<ConfigValue> values;
		for (const toml::node& entry : *array) {
			Place inner = *this;
			inner.line = entry.source().begin.line;
			values.push_back(TRY(inner.value(entry)));
		}
		return values;
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
	ConfigBudget budget{std::string(cgroup.str()), "", "", place.text()};
	const toml::table* table = node.as_table();
	if (!table) {
		budget.latency = TRY(place.value(node)).text;
		return budget;
	}
	for (const auto& [key, value] : *table) {
		const Place inner(place.file, key, place.name);
		if (key == "latency")
			budget.latency = TRY(inner.value(value)).text;
		else if (key == "cap")
			budget.cap = TRY(inner.value(value)).text;
		else
			return inner.unknown("latency, cap; the name of a cgroup with dots goes in quotes");
	}
	if (budget.latency.empty())
		return fail(ExitCode::usage, "{}:{}: {} has no latency", place.file, place.line, place.name);
	return budget;
}

Status parse_table(const Place& place, const toml::table& table, ConfigFile* config)
{
	for (const auto& [key, node] : table) {
		const Place inner(place.file, key, place.name);
		if (place.name == "set") {
			ConfigValue value = TRY(inner.value(node));
			value.text = fmt::format("{}={}", key.str(), value.text);
			config->set.push_back(std::move(value));
		} else {
			config->budgets.push_back(TRY(parse_budget_entry(inner, key, node)));
		}
	}
	return {};
}

// The member that a key names; nullptr: none.
ConfigValue* find_member(std::span<const Member> members, const toml::key& key, ConfigFile* config)
{
	const auto member = std::ranges::find(members, key.str(), &Member::first);
	return member == members.end() ? nullptr : &(config->*member->second);
}

Status parse_guard(const toml::table& table, std::string_view file_name, ConfigFile* config)
{
	for (const auto& [key, node] : table) {
		const Place place(file_name, key, "guard");
		if (ConfigValue* member = find_member(kOfGuard, key, config))
			*member = TRY(place.value(node));
		else if (key == "slo")
			config->slo = TRY(place.list(node));
		else
			return place.unknown("slo, on_fallback, webhook, metrics");
	}
	return {};
}

void replace_if_given(ConfigValue* value, ConfigValue* later)
{
	if (!later->text.empty())
		*value = std::move(*later);
}

std::string_view name_of(const ConfigValue& assignment)
{
	return std::string_view(assignment.text).substr(0, assignment.text.find('='));
}

Result<ConfigFile> read_one(const fs::path& path)
{
	auto text = read_file(path, kSizeMax);
	if (!text)
		return fail(ExitCode::usage, "{}", text.error().what);
	return parse_config(*text, path.native());
}

// By name; none where there is no such folder.
Result<std::vector<fs::path>> drop_ins(const fs::path& folder)
{
	std::vector<fs::path> files;
	std::error_code error;
	for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
		if (entry->path().extension() == ".toml")
			files.push_back(entry->path());
	if (error && error != std::errc::no_such_file_or_directory)
		return fail(ExitCode::usage, "cannot read {}: {}", folder.native(), error.message());
	if (files.size() > kDropInsMax)
		return fail(ExitCode::usage, "{} has {} files, more than {}", folder.native(), files.size(),
			    kDropInsMax);
	std::ranges::sort(files);
	return files;
}

}  // namespace

Result<ConfigFile> parse_config(std::string_view text, std::string_view file_name)
{
	const toml::table table = TRY(parse_toml(text, file_name));
	ConfigFile config;
	for (const auto& [key, node] : table) {
		const Place place(file_name, key, "");
		if (ConfigValue* member = find_member(kTop, key, &config))
			*member = TRY(place.value(node));
		else if (key == "only")
			config.only = TRY(place.truth(node));
		else if (key == "slices")
			config.slices = TRY(place.list(node));
		else if (key == "set" || key == "budgets")
			TRY(parse_table(place, *TRY(place.table(node)), &config));
		else if (key == "guard")
			TRY(parse_guard(*TRY(place.table(node)), file_name, &config));
		else
			return place.unknown(
			    "scheduler, cpus, floor, timeout, only, slices, [set], [budgets], [guard]");
	}
	return config;
}

void merge_config(ConfigFile* config, ConfigFile later)
{
	for (const Member& member : kTop)
		replace_if_given(&(config->*member.second), &(later.*member.second));
	for (const Member& member : kOfGuard)
		replace_if_given(&(config->*member.second), &(later.*member.second));
	replace_if_given(&config->only, &later.only);
	if (!later.slices.empty())
		config->slices = std::move(later.slices);
	if (!later.slo.empty())
		config->slo = std::move(later.slo);
	for (ConfigValue& value : later.set) {
		std::erase_if(config->set, [&](const ConfigValue& old) { return name_of(old) == name_of(value); });
		config->set.push_back(std::move(value));
	}
	for (ConfigBudget& budget : later.budgets) {
		std::erase_if(config->budgets, [&](const auto& old) { return old.cgroup == budget.cgroup; });
		config->budgets.push_back(std::move(budget));
	}
}

Result<ConfigFile> read_config(const fs::path& path)
{
	std::error_code error;
	if (!fs::is_directory(path, error))
		return read_one(path);
	std::vector<fs::path> files = TRY(drop_ins(path / "conf.d"));
	if (fs::exists(path / "punctual.toml", error))
		files.insert(files.begin(), path / "punctual.toml");
	if (files.empty())
		return fail(ExitCode::usage, "there is neither punctual.toml nor conf.d/*.toml in {}", path.native());
	ConfigFile config;
	for (const fs::path& file : files)
		merge_config(&config, TRY(read_one(file)));
	return config;
}

}  // namespace punctual
