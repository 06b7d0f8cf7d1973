// SPDX-License-Identifier: GPL-2.0-only
// What a Debian root of the lab is made of, and how mmdebstrap is told. Pure: a wish in, a name and a command out.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace punctual {

// A Debian release by name, with all that its first process needs: the essential packages, systemd, D-Bus, and these.
struct RootRecipe {
	std::string suite;
	std::vector<std::string> packages;  // sorted, each once; without those that every root has
};

bool is_root_suite(std::string_view text);

// Error (usage) for what is no name of a package.
Result<RootRecipe> root_recipe(std::string_view suite, std::vector<std::string> packages);

// Tells equal recipes from others, and this version of the recipe from others: "bookworm-0123456789abcdef".
std::string root_name(const RootRecipe& recipe);

// Makes the root as a tar archive at `archive`. `source` is the line of sources.list, `apt_options` a file of apt's
// settings to go by, of which nothing stays in the root.
std::vector<std::string> root_command(const RootRecipe& recipe, const std::filesystem::path& archive,
				      std::string_view source, const std::filesystem::path& apt_options);

}  // namespace punctual
