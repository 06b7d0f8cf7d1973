// SPDX-License-Identifier: GPL-2.0-only
#include "lab/root_recipe.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace punctual {
namespace {

constexpr std::array<std::string_view, 2> kSuites = {"bookworm", "trixie"};
constexpr size_t kPackagesMax = 100;

// mmdebstrap takes patterns and options of apt as well; here only names (Debian policy, 5.6.1), so that what is made
// follows from the name of the cached file.
bool is_package_name(std::string_view text)
{
	const auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
	return text.size() >= 2 && text.size() <= 100 && is_alnum(text[0]) &&
	       std::ranges::all_of(text, [&](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; });
}

// Said to mmdebstrap for every root. Essential packages only: apt itself is a --package like others.
// Directories are merged by links before anything is unpacked, else the package usrmerge would come with all of Perl.
// Manuals, translations and time zones are a third of the bytes and nobody reads them in a guest.
// The last one takes away what this command and this machine put in: their apt and dpkg settings, their resolver.
const std::vector<std::string>& common_options()
{
	static const std::vector<std::string> options = {
	    "--variant=essential",
	    "--format=tar",
	    "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
	    "--dpkgopt=force-unsafe-io",
	    "--dpkgopt=path-exclude=/usr/share/man/*",
	    "--dpkgopt=path-exclude=/usr/share/doc/*",
	    "--dpkgopt=path-exclude=/usr/share/locale/*",
	    "--dpkgopt=path-exclude=/usr/share/zoneinfo/*",
	    R"(--customize-hook=cd "$1/etc" && rm -f apt/apt.conf.d/99mmdebstrap dpkg/dpkg.cfg.d/99mmdebstrap resolv.conf)",
	};
	return options;
}

constexpr std::string_view kCommonPackages = "systemd-sysv,dbus";

// FNV-1a: of the same bytes the same number in every build, unlike std::hash.
uint64_t hash_of(std::string_view text)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (const char c : text)
		hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
	return hash;
}

}  // namespace

bool is_root_suite(std::string_view text)
{
	return std::ranges::find(kSuites, text) != kSuites.end();
}

Result<RootRecipe> root_recipe(std::string_view suite, std::vector<std::string> packages)
{
	if (!is_root_suite(suite))
		return fail(ExitCode::usage, "the lab makes roots of bookworm and trixie, not of '{}'", suite);
	for (const std::string& package : packages)
		if (!is_package_name(package))
			return fail(ExitCode::usage, "'{}' is no name of a Debian package", package);
	std::ranges::sort(packages);
	packages.erase(std::ranges::unique(packages).begin(), packages.end());
	if (packages.size() > kPackagesMax)
		return fail(ExitCode::usage, "a root takes at most {} packages more, not {}", kPackagesMax,
			    packages.size());
	return RootRecipe{std::string(suite), std::move(packages)};
}

std::string root_name(const RootRecipe& recipe)
{
	std::string contents(kCommonPackages);
	for (const std::string& option : common_options())
		contents.append("\n").append(option);
	for (const std::string& package : recipe.packages)
		contents.append("\n").append(package);
	return fmt::format("{}-{:016x}", recipe.suite, hash_of(contents));
}

std::vector<std::string> root_command(const RootRecipe& recipe, const std::filesystem::path& archive,
				      std::string_view source, const std::filesystem::path& apt_options)
{
	std::vector<std::string> argv = {"mmdebstrap"};
	argv.insert(argv.end(), common_options().begin(), common_options().end());
	argv.push_back("--aptopt=" + apt_options.native());
	std::string include = "--include=" + std::string(kCommonPackages);
	for (const std::string& package : recipe.packages)
		include.append(",").append(package);
	argv.insert(argv.end(), {include, recipe.suite, archive.native(), std::string(source)});
	return argv;
}

}  // namespace punctual
