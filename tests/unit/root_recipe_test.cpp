// SPDX-License-Identifier: GPL-2.0-only
#include "lab/root_recipe.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace punctual {
namespace {

TEST(RootRecipe, EqualWishesHaveOneNameAndOthersAnother)
{
	const auto name = [](std::string_view suite, std::vector<std::string> packages) {
		return root_name(root_recipe(suite, std::move(packages)).value());
	};
	EXPECT_EQ(name("bookworm", {"apt", "kmod", "apt"}), name("bookworm", {"kmod", "apt"}));
	EXPECT_NE(name("bookworm", {"apt"}), name("bookworm", {}));
	EXPECT_NE(name("bookworm", {}), name("trixie", {}));
	EXPECT_TRUE(name("trixie", {}).starts_with("trixie-"));
}

TEST(RootRecipe, TakesNamesOfPackagesAndNothingElse)
{
	EXPECT_TRUE(root_recipe("bookworm", {"libstdc++6", "python3.11", "0ad"}));
	for (const char* wrong : {"", "a", "apt,perl", "?essential", "-oDebug", "Apt", "apt/sid", "apt "})
		EXPECT_EQ(root_recipe("bookworm", {wrong}).error().code, ExitCode::usage) << wrong;
	EXPECT_EQ(root_recipe("buster", {}).error().code, ExitCode::usage);
}

TEST(RootRecipe, IsMadeFromTheGivenSourceWithAllPackages)
{
	const auto argv = root_command(root_recipe("trixie", {"kmod", "apt"}).value(), "/cache/root.tar",
				       "deb http://mirror trixie main", "/tmp/apt.conf");
	const auto has = [&](std::string_view text) { return std::ranges::find(argv, text) != argv.end(); };
	EXPECT_EQ(argv.front(), "mmdebstrap");
	EXPECT_EQ(argv.back(), "deb http://mirror trixie main");
	EXPECT_TRUE(has("/cache/root.tar"));
	EXPECT_TRUE(has("--aptopt=/tmp/apt.conf"));
	EXPECT_TRUE(has("--include=systemd-sysv,dbus,apt,kmod"));
}

}  // namespace
}  // namespace punctual
