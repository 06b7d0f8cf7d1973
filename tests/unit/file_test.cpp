// SPDX-License-Identifier: GPL-2.0-only
#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace punctual {
namespace {

namespace fs = std::filesystem;

struct FileTest : testing::Test {
	TempDir dir = TempDir::create("punctual-test-").value();
	fs::path path = dir.path() / "file";
};

TEST_F(FileTest, ReadsBackWhatWasWritten)
{
	const std::string big(100'001, 'x');  // larger than one read
	ASSERT_TRUE(replace_file(path, big));
	EXPECT_EQ(read_file(path).value(), big);
	ASSERT_TRUE(replace_file(path, ""));
	EXPECT_EQ(read_file(path).value(), "");
}

TEST_F(FileTest, LineLosesOnlyTrailingSpace)
{
	ASSERT_TRUE(replace_file(path, " a b \n\n"));
	EXPECT_EQ(read_line(path).value(), " a b");
}

TEST_F(FileTest, TooLargeIsAnErrorNotATruncation)
{
	ASSERT_TRUE(replace_file(path, "12345"));
	EXPECT_TRUE(read_file(path, 5));
	const Result<std::string> refused = read_file(path, 4);
	ASSERT_FALSE(refused);
	EXPECT_NE(refused.error().what.find(path.native()), std::string::npos);
}

TEST_F(FileTest, ReplaceLeavesNoTemporaryBehind)
{
	ASSERT_TRUE(replace_file(path, "one"));
	ASSERT_TRUE(replace_file(path, "two"));
	EXPECT_EQ(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()), 1);
	struct stat status;
	ASSERT_EQ(::stat(path.c_str(), &status), 0);
	EXPECT_EQ(status.st_mode & 0777U, 0644U);
}

TEST_F(FileTest, FailedReplaceKeepsTheOldContents)
{
	const fs::path occupied = dir.path() / "directory";
	fs::create_directories(occupied / "inside");  // rename over it fails
	const Status replaced = replace_file(occupied, "text");
	ASSERT_FALSE(replaced);
	EXPECT_EQ(replaced.error().code, ExitCode::usage);
	EXPECT_TRUE(fs::is_directory(occupied / "inside"));
	EXPECT_EQ(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()), 1);
}

TEST_F(FileTest, ReplaceNeedsTheDirectory)
{
	const Status replaced = replace_file(dir.path() / "none" / "file", "text");
	ASSERT_FALSE(replaced);
	EXPECT_EQ(replaced.error().code, ExitCode::usage);
	EXPECT_NE(replaced.error().what.find("none/file: there is no such directory"), std::string::npos);
}

TEST_F(FileTest, KernelFileMustExist)
{
	const Status status = write_kernel_file(path, "1");
	ASSERT_FALSE(status);
	EXPECT_NE(status.error().what.find(path.native()), std::string::npos);
	EXPECT_FALSE(fs::exists(path));  // a mistyped sysfs name must not make a file
}

TEST_F(FileTest, ReadsKernelFilesWithoutASize)
{
	EXPECT_NE(read_file("/proc/self/mountinfo").value().size(), 0U);
}

TEST(TempDir, GoesWithEverythingInIt)
{
	fs::path where;
	{
		TempDir first = TempDir::create("punctual-test-").value();
		where = first.path();
		fs::create_directories(where / "a" / "b");
		const TempDir moved = std::move(first);  // moved-from must not remove it
		EXPECT_TRUE(fs::exists(where / "a"));
	}
	EXPECT_FALSE(fs::exists(where));
}

}  // namespace
}  // namespace punctual
