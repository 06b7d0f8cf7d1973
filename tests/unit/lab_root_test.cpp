// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/process.h"
#include "lab/checked_file.h"
#include "lab/image.h"
#include "lab/root_store.h"

namespace punctual {
namespace {

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
