// SPDX-License-Identifier: GPL-2.0-only
#include "lab/kernel_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace punctual {
namespace {

// 7.1 and 7.2 are missing on purpose: their builds describe sched_ext functions wrongly (BTF), so that no
// scheduler loads. 6.1 has no sched_ext: run-queue waits are measured there too.
constexpr std::string_view kStable = "bookworm";
constexpr std::string_view kBackports = "trixie-backports";
constexpr std::array<KernelSeries, 7> kSeries = {{
    {"6.1", "6.1.0-47", kStable},
    {"6.16", "6.16.12", kBackports},
    {"6.17", "6.17.13", kBackports},
    {"6.18", "6.18.15", kBackports},
    {"6.19", "6.19.14", kBackports},
    {"7.0", "7.0.13", kBackports},
    {"7.3", "7.3.4", kBackports},
}};

constexpr std::array<std::string_view, 2> kSuffixes = {"+deb13-cloud-amd64", "-cloud-amd64"};
// Since 6.19 the image package is empty and only depends on the binary package, which has the kernel.
constexpr std::string_view kBinaryPrefix = "linux-binary-";
constexpr std::array<std::string_view, 2> kPrefixes = {kBinaryPrefix, "linux-image-"};

int take_number(std::string_view& text)
{
	int number = -1;  // a missing part sorts before any number
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
	text.remove_prefix(static_cast<size_t>(end - text.data()));
	if (text.starts_with('.') || text.starts_with('-'))
		text.remove_prefix(1);
	else
		text = {};
	return error == std::errc() ? number : -1;
}

std::optional<std::string_view> version_of_package(std::string_view name)
{
	for (std::string_view prefix : kPrefixes) {
		if (!name.starts_with(prefix))
			continue;
		const std::string_view rest = name.substr(prefix.size());
		for (std::string_view suffix : kSuffixes) {
			if (!rest.ends_with(suffix))
				continue;
			const std::string_view version = rest.substr(0, rest.size() - suffix.size());
			if (is_kernel_version(version))  // not so of other flavours, such as 6.18.15+deb13-rt
				return version;
		}
	}
	return std::nullopt;
}

std::optional<std::string> offered_package(std::string_view prefix, std::string_view version,
					   const std::vector<std::string>& offered)
{
	for (std::string_view suffix : kSuffixes) {
		std::string package = fmt::format("{}{}{}", prefix, version, suffix);
		if (std::ranges::find(offered, package) != offered.end())
			return package;
	}
	return std::nullopt;
}

std::string offered_series()
{
	std::string text;
	for (const KernelSeries& row : kSeries)
		text += fmt::format("{}{}", text.empty() ? "" : ", ", row.series);
	return text;
}

}  // namespace

std::span<const KernelSeries> kernel_series()
{
	return kSeries;
}

bool is_kernel_version(std::string_view text)
{
	return !text.empty() && text.find_first_not_of("0123456789.-") == text.npos && !text.ends_with('.') &&
	       !text.ends_with('-');
}

std::string_view series_of(std::string_view version)
{
	const size_t first = version.find('.');
	return first == version.npos ? version : version.substr(0, version.find('.', first + 1));
}

bool older_version(std::string_view a, std::string_view b)
{
	while (!a.empty() || !b.empty()) {
		const int left = take_number(a);
		const int right = take_number(b);
		if (left != right)
			return left < right;
	}
	return false;
}

Result<std::string> wanted_kernel(std::string_view text)
{
	for (const KernelSeries& row : kSeries) {
		if (text == row.series)
			return std::string(row.pinned);
		if (is_kernel_version(text) && series_of(text) == row.series)
			return std::string(text);
	}
	return fail(ExitCode::usage, "no kernel '{}' in the lab (one of {}, or an exact version such as 6.18.15)", text,
		    offered_series());
}

std::string_view suite_of_kernel(std::string_view version)
{
	const auto* row = std::ranges::find(kSeries, series_of(version), &KernelSeries::series);
	return row == kSeries.end() ? kBackports : row->suite;
}

bool is_offered(std::string_view version, const std::vector<std::string>& offered)
{
	return std::ranges::any_of(offered,
				   [&](const std::string& name) { return version_of_package(name) == version; });
}

Result<KernelPackage> choose_kernel(std::string_view version, const std::vector<std::string>& offered)
{
	std::optional<std::string_view> best;
	for (const std::string& name : offered) {
		const auto candidate = version_of_package(name);
		if (!candidate || series_of(*candidate) != series_of(version))
			continue;
		if (*candidate == version) {
			best = candidate;
			break;
		}
		if (!best || older_version(*best, *candidate))
			best = candidate;
	}
	if (!best)
		return fail(ExitCode::lacking,
			    "the Debian archive offers no kernel {} any more (choose another one of {})",
			    series_of(version), offered_series());
	for (std::string_view prefix : kPrefixes)
		if (const auto package = offered_package(prefix, *best, offered))
			return KernelPackage{std::string(*best), *package};
	return fail(ExitCode::failed, "no package for kernel {}", *best);
}

Result<std::string> choose_modules(std::string_view version, const std::vector<std::string>& offered)
{
	const bool are_apart = offered_package(kBinaryPrefix, version, offered).has_value();
	const auto package = offered_package(are_apart ? "linux-modules-" : "linux-image-", version, offered);
	if (!package)
		return fail(ExitCode::lacking,
			    "the Debian archive offers no modules of kernel {} any more (choose another one of {})",
			    version, offered_series());
	return *package;
}

}  // namespace punctual
