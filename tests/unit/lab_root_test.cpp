// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "base/process.h"
#include "lab/checked_file.h"
#include "lab/image.h"
#include "lab/root_recipe.h"
#include "lab/root_store.h"

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

TEST(RootStore, WhatIsNoRootIsAUsageError)
{
	const TempDir work = *TempDir::create("lab-root-");
	const auto code = [&](const std::string& text, const std::vector<std::string>& packages) {
		const auto root = find_root(text, packages, work.path(), {});
		return root ? ExitCode::ok : root.error().code;
	};
	EXPECT_EQ(code("buster", {}), ExitCode::usage);
	EXPECT_EQ(code(work.path() / "missing.tar", {}), ExitCode::usage);
	EXPECT_EQ(code(work.path(), {"apt"}), ExitCode::usage);  // packages go into roots that are made
	EXPECT_EQ(code("bookworm", {"no package"}), ExitCode::usage);
}

TEST(RootStore, DirectoryIsPackedForThisRunOnly)
{
	const TempDir work = *TempDir::create("lab-root-");
	ASSERT_TRUE(replace_file(work.path() / "file", "x"));
	std::filesystem::path archive;
	{
		const auto root = find_root(work.path(), {}, work.path(), {});
		ASSERT_TRUE(root) << root.error().what;
		archive = root->archive;
		const auto listing = run_captured({"tar", "tf", archive.native()}, std::chrono::minutes(1));
		ASSERT_TRUE(listing) << listing.error().what;
		EXPECT_NE(listing->out.find("./file\n"), std::string::npos);
	}
	EXPECT_FALSE(std::filesystem::exists(archive));
}

TEST(CheckedFile, DamageIsSeen)
{
	const TempDir work = *TempDir::create("lab-checked-");
	const std::filesystem::path file = work.path() / "file";
	ASSERT_TRUE(replace_file(work.path() / "fresh", "whole"));
	EXPECT_FALSE(is_intact(file));
	ASSERT_TRUE(keep_checked(work.path() / "fresh", file));
	EXPECT_TRUE(is_intact(file));
	EXPECT_EQ(checksum_of(file).size(), 64U);
	ASSERT_TRUE(replace_file(file, "whol"));
	EXPECT_FALSE(is_intact(file));
}

TEST(JobTree, FileGoesToThePlaceThatIsNamed)
{
	const TempDir work = *TempDir::create("lab-job-");
	ASSERT_TRUE(replace_file(work.path() / "a:b", "x"));
	const FileTree base(FileTree::Layout::merged_usr);
	const std::string host = work.path() / "a:b";
	const auto job = job_tree({{"systemctl"}, {}, {}, {host + ":/etc/punctual/x"}, true}, base);
	ASSERT_TRUE(job) << job.error().what;
	EXPECT_TRUE(job->contains("/etc/punctual/x"));
	for (const std::string& wrong : {host, host + ":", host + ":etc/x", std::string(":/etc/x"), host + "c:/etc/x"})
		EXPECT_EQ(job_tree({{"systemctl"}, {}, {}, {wrong}, true}, base).error().code, ExitCode::usage)
		    << wrong;
}

TEST(JobTree, NothingOfTheHostGoesIntoARootUnasked)
{
	const FileTree base(FileTree::Layout::merged_usr);
	const auto job = job_tree({{"env"}, {}, {"/usr/bin/env"}, {}, true}, base);
	ASSERT_TRUE(job) << job.error().what;
	EXPECT_TRUE(job->contains("/usr/bin/env"));  // included
	EXPECT_FALSE(job->contains("/lib/x86_64-linux-gnu/libc.so.6"));
	const auto unasked = job_tree({{"env"}, {}, {}, {}, true}, base);
	ASSERT_TRUE(unasked) << unasked.error().what;
	EXPECT_FALSE(unasked->contains("/usr/bin/env"));
}

}  // namespace
}  // namespace punctual
