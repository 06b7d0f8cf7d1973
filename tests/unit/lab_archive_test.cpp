// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/file.h"
#include "lab/cpio.h"
#include "lab/file_tree.h"

namespace punctual {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

std::string archive_of(const FileTree& tree)
{
	std::string bytes;
	EXPECT_TRUE(tree.write([&](std::string_view piece) { bytes.append(piece); }));
	return bytes;
}

std::string raw_archive(std::string_view path, uint32_t mode, std::string_view contents)
{
	std::string bytes;
	CpioWriter writer([&](std::string_view piece) { bytes.append(piece); });
	writer.add(path, mode, contents);
	writer.finish();
	return bytes;
}

TEST(Archive, IsReadBackAsItWasWritten)
{
	const std::string binary = "a\0b\n"s;
	const std::string bytes = raw_archive("some/file", S_IFREG | 0640, binary);
	const auto entries = read_cpio(bytes);
	ASSERT_TRUE(entries) << entries.error().what;
	ASSERT_EQ(entries->size(), 1u);
	EXPECT_EQ((*entries)[0].path, "some/file");
	EXPECT_EQ((*entries)[0].mode, static_cast<uint32_t>(S_IFREG | 0640));
	EXPECT_EQ((*entries)[0].contents, binary);
}

TEST(Archive, EveryEntryStartsAtAMultipleOfFour)
{
	std::string bytes;
	CpioWriter writer([&](std::string_view piece) { bytes.append(piece); });
	for (const char* name : {"a", "ab", "abc", "abcd"})
		writer.add(name, S_IFREG | 0644, name);
	writer.finish();
	EXPECT_EQ(bytes.size() % 4, 0u);
	EXPECT_EQ(read_cpio(bytes)->size(), 4u);  // the kernel's own reader insists on it
}

TEST(Archive, HeaderIsTheOneThatTheKernelReads)
{
	const std::string bytes = raw_archive("f", S_IFREG | 0644, "xyz");
	EXPECT_EQ(bytes.substr(0, 22), "07070100000001000081a4");  // magic, first inode number, mode
	EXPECT_EQ(bytes.substr(46, 8), "00000000");                // time
	EXPECT_EQ(bytes.substr(54, 8), "00000003");                // size
}

TEST(Archive, CutAnywhereIsAnErrorAndNotACrash)
{
	const std::string bytes = raw_archive("some/file", S_IFREG | 0644, "contents");
	for (size_t length = 0; length < bytes.size(); length++)
		EXPECT_FALSE(read_cpio(std::string_view(bytes).substr(0, length))) << length;
}

TEST(Archive, WrongNumberIsRefused)
{
	std::string bytes = raw_archive("f", S_IFREG | 0644, "xyz");
	bytes[60] = 'z';
	EXPECT_FALSE(read_cpio(bytes));
	bytes.replace(54, 8, "ffffffff");  // a size beyond the end
	EXPECT_FALSE(read_cpio(bytes));
}

TEST(FileTree, OrderOfAddingDoesNotShow)
{
	FileTree one(FileTree::Layout::plain);
	one.add_text("/b/x", "1");
	one.add_text("/a", "2");
	FileTree other(FileTree::Layout::plain);
	other.add_text("/a", "2");
	other.add_text("/b/x", "1");
	EXPECT_EQ(archive_of(one), archive_of(other));
}

TEST(FileTree, ParentsComeBeforeWhatIsInThem)
{
	FileTree tree(FileTree::Layout::plain);
	tree.add_text("/deep/down/file", "x");
	const std::string bytes = archive_of(tree);
	const auto entries = read_cpio(bytes);
	ASSERT_EQ(entries->size(), 3u);
	EXPECT_EQ((*entries)[0].path, "deep");
	EXPECT_EQ((*entries)[1].path, "deep/down");
	EXPECT_TRUE(S_ISDIR((*entries)[1].mode));
}

TEST(FileTree, MergedUsrGivesOnePathToTwoNames)
{
	FileTree tree(FileTree::Layout::merged_usr);
	tree.add_text("/lib/x.so", "first");
	tree.add_text("/usr/lib/x.so", "second");
	EXPECT_TRUE(tree.contains("/lib/x.so"));
	EXPECT_TRUE(tree.contains("/usr/lib/x.so"));
	EXPECT_NE(archive_of(tree).find("first"), std::string::npos);
	EXPECT_EQ(archive_of(tree).find("second"), std::string::npos);
}

TEST(FileTree, TimesAndOwnersOfTheHostDoNotShow)
{
	const TempDir work = *TempDir::create("lab-archive-");
	const auto archive_at = [&](time_t time) {
		EXPECT_TRUE(replace_file(work.path() / "f", "contents"));
		const timespec times[2] = {{time, 0}, {time, 0}};
		EXPECT_EQ(::utimensat(AT_FDCWD, (work.path() / "f").c_str(), times, 0), 0);
		FileTree tree(FileTree::Layout::plain);
		tree.add_host_file("/f", work.path() / "f", 0644);
		return archive_of(tree);
	};
	EXPECT_EQ(archive_at(1'000'000), archive_at(1'700'000'000));
}

class Unpack : public testing::Test {
 protected:
	TempDir work_ = *TempDir::create("lab-unpack-");
	fs::path root_ = work_.path() / "root";

	void SetUp() override { fs::create_directories(root_); }
	std::string contents(const char* name) { return read_file(root_ / name).value_or("<missing>"); }
};

TEST_F(Unpack, BringsFilesDirectoriesLinksAndModes)
{
	FileTree tree(FileTree::Layout::plain);
	tree.add_text("/bin/tool", "x", 0755);
	tree.add_link("/link", "bin/tool");
	ASSERT_TRUE(unpack_archive(archive_of(tree), root_));
	EXPECT_EQ(contents("link"), "x");
	EXPECT_EQ(fs::status(root_ / "bin/tool").permissions(), fs::perms(0755));
}

TEST_F(Unpack, RefusesToLeadOutside)
{
	const std::string bytes = raw_archive("a/../../escaped", S_IFREG | 0644, "x");
	EXPECT_FALSE(unpack_archive(bytes, root_));
	EXPECT_FALSE(fs::exists(work_.path() / "escaped"));
}

TEST_F(Unpack, RefusesToWriteThroughALink)
{
	std::string bytes;
	CpioWriter writer([&](std::string_view piece) { bytes.append(piece); });
	writer.add("way", S_IFLNK | 0777, work_.path().native());
	writer.add("way/escaped", S_IFREG | 0644, "x");
	writer.finish();
	EXPECT_FALSE(unpack_archive(bytes, root_));
	EXPECT_FALSE(fs::exists(work_.path() / "escaped"));  // the guest must not write files of the host
}

TEST_F(Unpack, ReplacesALinkInsteadOfWritingItsTarget)
{
	ASSERT_TRUE(replace_file(work_.path() / "precious", "old"));
	fs::create_symlink(work_.path() / "precious", root_ / "result");
	ASSERT_TRUE(unpack_archive(raw_archive("result", S_IFREG | 0644, "new"), root_));
	EXPECT_EQ(read_file(work_.path() / "precious").value(), "old");
	EXPECT_EQ(contents("result"), "new");
}

TEST_F(Unpack, AbsolutePathsStayBelowTheRoot)
{
	ASSERT_TRUE(unpack_archive(raw_archive("/etc/name", S_IFREG | 0644, "x"), root_));
	EXPECT_EQ(contents("etc/name"), "x");
}

}  // namespace
}  // namespace punctual
